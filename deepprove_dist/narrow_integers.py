"""Integers in as few bytes as hold them: constants of a large model take gigabytes as int64."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.signedinteger[Any]]
"""Signed integers of any width. Sums and products of them are to be made in int64 or float64."""

TYPES = ("i1", "i2", "i4", "i8")
"""The narrowest type comes first."""


def narrowest(values: Integers) -> str:
    """The narrowest of the types that holds these integers; of no integers the first."""
    lo, hi = (int(values.min()), int(values.max())) if values.size else (0, 0)
    return narrowest_of(lo, hi)


def narrowest_of(lo: int, hi: int) -> str:
    """The narrowest of the types that holds all integers from `lo` to `hi`."""
    return next(code for code in TYPES if np.iinfo(code).min <= lo and hi <= np.iinfo(code).max)


def narrow(values: Integers) -> Integers:
    """The same integers in the narrowest type; the same array, if it is of that."""
    return values.astype(narrowest(values), copy=False)


LARGE = 2**16
"""Values of an array that is kept in as few bytes as hold it: half a megabyte as int64."""


def narrow_if_large(values: Integers) -> Integers:
    """The same integers, those of a large array of 64 bits in the narrowest type."""
    return narrow(values) if values.size >= LARGE and values.dtype.itemsize == 8 else values
