"""Integers of a statement: the same numbers as elements, as arrays, as real values and as lists."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.messages.public_integers import PublicIntegers
from deepprove_dist.protocol.messages.statement import encode_tensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import PublicTensor

axes = st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=4)


@given(axes=axes, batch=st.integers(1, 3), log_span=st.integers(0, 31), seed=st.integers(0, 2**32))
def test_all_forms_have_the_same_numbers(
    axes: list[tuple[int, bool]], batch: int, log_span: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(size for size, _ in axes)
    scale = Scale.from_array(generator.uniform(0.1, 9, [size if by else 1 for size, by in axes]))
    lo = int(generator.integers(-(2**30), 1))
    public = PublicTensor("x", 0, shape, lo, lo + (1 << log_span) - 1, scale)
    array = generator.integers(public.lo, public.hi, (batch, *shape), endpoint=True)
    integers = PublicIntegers(public, batch, encode_tensor(public, array))
    np.testing.assert_array_equal(integers.array, array)
    assert integers.array.dtype == np.int64
    assert bytes(integers.vector) == bytes(BaseVector.from_array(array.reshape(-1)))
    np.testing.assert_array_equal(integers.real, scale.array * array)
    assert integers.real_lists == integers.real.tolist()
