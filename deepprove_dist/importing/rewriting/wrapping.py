"""Integers of a type: what lies beyond its range wraps, as in onnxruntime.

Types of 32 bits and more hold all integers here, which are below 2^30 in size. Where such a type has no
negative numbers, what may be below 0 is refused.
"""

import numpy as np

from deepprove_dist.importing.rewriting.standard import whole_range
from deepprove_dist.operators.pointwise import IDENTITY, Function, RealArray, call, without_sign

# The smallest end of a type that holds all integers here.
WIDE = 2**31 - 1


def wrapped(x: RealArray, lowest: float, highest: float) -> RealArray:
    """The integer from lowest to highest that equals x modulo their number."""
    values: RealArray = np.mod(x - lowest, highest - lowest + 1) + lowest
    return values


def in_type(function: Function, kind: int) -> Function:
    """A function with whole results, as elements of a type of integers; of another type it stays."""
    ends = whole_range(kind)
    if ends is None:
        return function
    if ends[1] < WIDE:
        return call(wrapped, function, *ends)
    return call(without_sign, function) if ends[0] == 0 else function


def in_type_after(kind: int, *, negative: bool = False) -> Function | None:
    """What a result of a type's elements has to go through; None where that is nothing.

    ``negative``: whether it may be below 0 where no element is.
    """
    ends = whole_range(kind)
    if ends is None or (ends[1] >= WIDE and not negative):
        return None
    function = in_type(IDENTITY, kind)
    return None if function == IDENTITY else function
