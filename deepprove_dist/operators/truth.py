"""Functions whose values are 0 and 1: comparisons and logic, as primitives of pointwise functions.

A truth value is the number 1 where it holds, else 0. Any number but 0 is true.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepprove_dist.operators.pointwise import Apply, Function, Primitive, RealArray, affine


def _as_numbers(primitive: Callable[..., object]) -> Primitive:
    def values(*arguments: RealArray) -> RealArray:
        return np.asarray(primitive(*arguments), dtype=np.float64)

    return values


equal = _as_numbers(np.equal)
greater = _as_numbers(np.greater)
greater_or_equal = _as_numbers(np.greater_equal)
less = _as_numbers(np.less)
less_or_equal = _as_numbers(np.less_equal)
both = _as_numbers(np.logical_and)
either = _as_numbers(np.logical_or)
one_of_two = _as_numbers(np.logical_xor)
not_equal = _as_numbers(np.not_equal)
not_a_number = _as_numbers(np.isnan)


def equals(function: Function) -> frozenset[float]:
    """The arguments that a function compares with a number for equality, as far as its expression shows."""
    if not isinstance(function, Apply):
        return frozenset()
    inside = frozenset[float]().union(*map(equals, function.arguments))
    if function.primitive not in (equal, not_equal):
        return inside
    match [affine(argument) for argument in function.arguments]:
        case [(a, b), (c, d)] if a != c:
            return inside | {(d - b) / (a - c)}
        case _:
            return inside


def selected(condition: RealArray, when_true: RealArray, when_false: RealArray) -> RealArray:
    """The first value where the condition holds, else the second one."""
    return np.where(condition != 0, when_true, when_false)
