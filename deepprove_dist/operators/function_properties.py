"""What holds for a function of one real number, as far as a grid of all magnitudes shows it."""

import numpy as np

from deepprove_dist.operators.pointwise import Function, evaluate

SAMPLES = 4096

_MAGNITUDES = np.logspace(-6, 6, SAMPLES)
_ALL_SCALES = np.concatenate([-_MAGNITUDES[::-1], [0.0], _MAGNITUDES])


def monotone(function: Function) -> bool:
    """Whether the function never falls: then it commutes with the maximum."""
    return bool((np.diff(evaluate(function, _ALL_SCALES)) >= 0).all())


def whole(function: Function) -> bool:
    """Whether all values of the function are integers, whatever its argument."""
    values = evaluate(function, _ALL_SCALES)
    return bool((np.isfinite(values) & (values == np.rint(values))).all())


def homogeneous(function: Function) -> bool:
    """Whether f(c x) = c f(x) for positive c."""
    values = evaluate(function, _ALL_SCALES)
    return all(
        np.allclose(evaluate(function, factor * _ALL_SCALES), factor * values, rtol=1e-9, atol=0)
        for factor in (2.0, 3.0)
    )
