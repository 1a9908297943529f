"""Functions whose values are 0 and 1: comparisons and logic, as primitives of pointwise functions.

A truth value is the number 1 where it holds, else 0. Any number but 0 is true.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepprove_dist.operators.pointwise import Primitive, RealArray


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


def selected(condition: RealArray, when_true: RealArray, when_false: RealArray) -> RealArray:
    """The first value where the condition holds, else the second one."""
    return np.where(condition != 0, when_true, when_false)
