"""Functions of whole numbers, as primitives of pointwise functions: bits, and shifts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.operators.pointwise import Primitive, RealArray

WIDTHS = (8, 16, 32, 64)
LARGEST_SHIFT = 62
"""Of an int64, which holds all integers here."""


def _of_integers(primitive: Callable[[npt.NDArray[Any], npt.NDArray[Any]], Any]) -> Primitive:
    def values(x: RealArray, y: RealArray) -> RealArray:
        first, second = (np.rint(np.nan_to_num(value)).astype(np.int64) for value in (x, y))
        return np.asarray(primitive(first, second), dtype=np.float64)

    return values


def _shift(y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """By how many bits: a negative shift is one by all of them."""
    shift: npt.NDArray[Any] = np.where((y < 0) | (y > LARGEST_SHIFT), LARGEST_SHIFT, y)
    return shift


def _shifted_left(bits: int, *, signed: bool = False) -> Primitive:
    """A shift whose result is cut to so many bits; of a signed type the last of them is the sign."""

    def shift(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        by = _shift(y)
        kept = np.clip(bits - by, 0, LARGEST_SHIFT)
        # What is shifted out is dropped before, so that nothing overflows.
        shifted: npt.NDArray[Any] = (x & ((1 << kept) - 1)) << by
        if signed and bits < LARGEST_SHIFT:
            shifted = shifted - ((shifted >> (bits - 1)) << bits)
        return shifted

    return _of_integers(shift)


bitwise_and = _of_integers(np.bitwise_and)
bitwise_or = _of_integers(np.bitwise_or)
bitwise_xor = _of_integers(np.bitwise_xor)
shifted_right = _of_integers(lambda x, y: x >> _shift(y))
SHIFTED_LEFT: Mapping[int, Primitive] = MappingProxyType({bits: _shifted_left(bits) for bits in WIDTHS})
"""By the width of the type."""
SIGNED_SHIFTED_LEFT: Mapping[int, Primitive] = MappingProxyType(
    {bits: _shifted_left(bits, signed=True) for bits in WIDTHS}
)
"""The same of signed types."""
