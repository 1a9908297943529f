"""What holds for a function of one real number, as far as a grid of all magnitudes shows it."""

from functools import lru_cache

import numpy as np

from deepprove_dist.operators.pointwise import Function, RealArray, evaluate
from deepprove_dist.operators.truth import equals

SAMPLES = 4096
REMEMBERED = 512
"""Functions: the layers of a model have few different ones, and are asked about them again and again."""

# Arguments up to which a bounded function has come to its bounds, and how near.
SATURATED = 1e3
NEAR = 1e-9

_MAGNITUDES = np.logspace(-6, 6, SAMPLES)
_ALL_SCALES = np.concatenate([-_MAGNITUDES[::-1], [0.0], _MAGNITUDES])


def _arguments(function: Function) -> RealArray:
    """Of all magnitudes, in ascending order, with the numbers that the function looks for among them."""
    return np.union1d(_ALL_SCALES, list(equals(function)))


@lru_cache(REMEMBERED)
def monotone(function: Function) -> bool:
    """Whether the function never falls: then it commutes with the maximum."""
    return bool((np.diff(evaluate(function, _arguments(function))) >= 0).all())


@lru_cache(REMEMBERED)
def whole(function: Function) -> bool:
    """Whether all values of the function are integers, whatever its argument."""
    values = evaluate(function, _arguments(function))
    return bool((np.isfinite(values) & (values == np.rint(values))).all())


@lru_cache(REMEMBERED)
def homogeneous(function: Function) -> bool:
    """Whether f(c x) = c f(x) for positive c."""
    arguments = _arguments(function)
    values = evaluate(function, arguments)
    with np.errstate(over="ignore"):
        return all(
            np.allclose(evaluate(function, factor * arguments), factor * values, rtol=1e-9, atol=0)
            for factor in (2.0, 3.0)
        )


@lru_cache(REMEMBERED)
def limits(function: Function) -> tuple[float, float] | None:
    """The least and the largest value of a bounded function.

    None for one without bounds, or that is not defined everywhere.
    """
    arguments = _arguments(function)
    values = evaluate(function, arguments)
    if not np.isfinite(values).all():
        return None
    inner = values[np.abs(arguments) <= SATURATED]
    lowest, highest = float(inner.min()), float(inner.max())
    slack = NEAR * (highest - lowest)
    bounded = values.min() >= lowest - slack and values.max() <= highest + slack
    return (lowest, highest) if bounded else None
