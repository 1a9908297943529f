"""Integers are held in as few bytes as hold them, and become the same field elements."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.kernels import BaseVector
from deepprove_dist.narrow_integers import TYPES, narrow, narrowest


@given(values=st.lists(st.integers(-(1 << 40), 1 << 40), max_size=5))
def test_integers_are_held_in_few_bytes(values: list[int]) -> None:
    array: np.ndarray[Any, np.dtype[np.int64]] = np.array(values, dtype=np.int64)
    narrowed = narrow(array)
    assert (narrowed == array).all()
    size = narrowed.dtype.itemsize
    assert size == 1 or max(map(abs, values)) > 1 << (4 * size - 1) - 1


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(-128, 127, "i1"), (-129, 0, "i2"), (0, 128, "i2"), (-(1 << 15) - 1, 0, "i4"), (0, 1 << 31, "i8")],
)
def test_the_ends_of_integer_types(low: int, high: int, dtype: str) -> None:
    values = np.array([low, high])
    assert narrowest(values) == dtype
    assert narrow(values).dtype == np.dtype(dtype)


@pytest.mark.parametrize("code", TYPES)
def test_field_elements_of_every_width(code: str) -> None:
    ends = np.iinfo(code)
    values = np.array([ends.min, -1, 0, 1, ends.max], dtype=code)
    assert bytes(BaseVector.from_array(values)) == bytes(BaseVector.from_array(values.astype(np.int64)))


def test_other_types_are_refused() -> None:
    for wrong in (np.zeros(2), np.zeros(2, dtype=np.uint8), np.zeros((2, 2), dtype=np.int64)):
        with pytest.raises(TypeError):
            BaseVector.from_array(wrong)  # type: ignore[arg-type]
