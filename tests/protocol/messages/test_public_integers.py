"""Public integers have one encoding, and none outside their range.

They are the same numbers as elements, as arrays, as real values and as lists.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.messages.public_integers import decode_tensor, encode_tensor, most_bytes
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import PublicTensor

BYTE = PublicTensor("x", 0, (2, 3), -100, 100, Scale.of(0.5))

ends = st.integers(-LARGEST_SIGNED, LARGEST_SIGNED)
ranges = st.tuples(ends, ends).map(sorted) | st.tuples(ends, st.integers(0, 70000)).map(
    lambda pair: [min(pair[0], LARGEST_SIGNED - pair[1]), min(pair[0], LARGEST_SIGNED - pair[1]) + pair[1]]
)
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
    integers = decode_tensor(public, batch, encode_tensor(public, array))
    np.testing.assert_array_equal(integers.array, array)
    assert integers.array.dtype == np.int64
    assert bytes(integers.vector) == bytes(BaseVector.from_array(array.reshape(-1)))
    np.testing.assert_array_equal(integers.real, scale.array * array)
    assert integers.real_lists == integers.real.tolist()


@given(data=st.data(), interval=ranges, batch=st.integers(1, 3))
def test_decoding_undoes_encoding(data: st.DataObject, interval: list[int], batch: int) -> None:
    low, high = interval
    tensor = PublicTensor("x", 0, (2, 2), low, high, Scale.of(1.0))
    values = data.draw(st.lists(st.integers(low, high), min_size=4 * batch, max_size=4 * batch))
    array = np.array(values, dtype=np.int64).reshape(batch, 2, 2)
    encoding = encode_tensor(tensor, array)
    assert np.array_equal(decode_tensor(tensor, batch, encoding).array, array)
    assert len(encoding) <= most_bytes(tensor, batch)


@pytest.mark.parametrize(("span", "size"), [(0, 2), (1, 2), (255, 7), (256, 8), (65535, 13), (65536, 14)])
def test_the_range_bounds_the_bytes(span: int, size: int) -> None:
    tensor = PublicTensor("x", 0, (2, 3), -7, span - 7, Scale.of(1.0))
    assert most_bytes(tensor, 1) == size
    ends = np.array([-7, span - 7] * 3)
    assert len(encode_tensor(tensor, ends)) == size


def test_inputs_near_a_normal_distribution_take_fewer_bits_than_their_range() -> None:
    tensor = PublicTensor("x", 0, (10_000,), -2048, 2047, Scale.of(1.0))
    values = np.random.default_rng(0).normal(0, 400, (1, 10_000)).round().astype(np.int64)
    assert len(encode_tensor(tensor, values)) < 0.91 * most_bytes(tensor, 1)


def test_a_picture_takes_the_bits_of_its_differences() -> None:
    tensor = PublicTensor("x", 0, (10_000,), 0, 255, Scale.of(1.0))
    values = (128 + 100 * np.sin(np.arange(10_000) / 50)).round().astype(np.int64)
    assert len(encode_tensor(tensor, values)) < 0.45 * most_bytes(tensor, 1)


def test_a_value_out_of_range_has_no_encoding() -> None:
    for value in (-101, 101):
        with pytest.raises(ValueError, match="outside of its range"):
            encode_tensor(BYTE, np.array([[[0, 0, value], [0, 0, 0]]]))


def in_eight_bits(values: IntArray) -> bytes:
    """The encoding if the range of `BYTE` had 256 integers."""
    return b"\0" + (values + 100).astype(np.uint8).tobytes()


def test_a_value_out_of_range_is_refused() -> None:
    values = np.array([100, -100, 50, -60, 100, -100])
    assert encode_tensor(BYTE, values) == in_eight_bits(values)
    assert decode_tensor(BYTE, 1, in_eight_bits(values)).flat == values.tolist()
    values[[1, 4]] = 101, 155
    with pytest.raises(VerificationError, match=r"\(x\): a value outside of its range") as caught:
        decode_tensor(BYTE, 1, in_eight_bits(values))
    assert (caught.value.check, caught.value.index) == (Check.PUBLIC_RANGE, 1)


@pytest.mark.parametrize("length", [0, 1, 6, 8, 13])
def test_another_number_of_elements_is_refused(length: int) -> None:
    with pytest.raises(VerificationError, match="another number of elements") as caught:
        decode_tensor(BYTE, 1, bytes(length))
    assert caught.value.check == Check.PUBLIC_LENGTH


def test_another_form_of_the_same_integers_is_refused() -> None:
    zeros = np.zeros(6, dtype=np.int64)
    assert encode_tensor(BYTE, zeros) == b"\1\0"
    for form in (in_eight_bits(zeros), b"\2\0\0", b"\x41\0", b"\x40" + bytes(60), b"\xff" + bytes(60)):
        with pytest.raises(VerificationError, match="not in their shortest form") as caught:
            decode_tensor(BYTE, 1, form)
        assert caught.value.check == Check.PUBLIC_FORM
