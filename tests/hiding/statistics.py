"""Statistics that see what is not uniform: chi-squared over the values of each coordinate.

Samples are drawn with fixed nonces, so that a test gives the same result each time.
"""

from __future__ import annotations

from collections.abc import Collection
from math import erfc, exp, pi, sqrt

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.field import MODULUS
from tests.hiding.views import View

BINS = 8
LEVEL = 1e-6
"""The chance that some of all coordinates of uniform values is found not to be."""


def chi_squared(samples: IntArray) -> FloatArray:
    """[2, coordinates] of samples [count, coordinates]: of high bits, then of low bits; 7 degrees each."""
    both = np.stack([samples * BINS // MODULUS, samples % BINS])
    counts = np.stack([(both == value).sum(axis=1) for value in range(BINS)])
    expected = len(samples) / BINS
    statistic: FloatArray = ((counts - expected) ** 2 / expected).sum(axis=0)
    return statistic


def tail_probability(statistic: float) -> float:
    """The chance of more than that, for 7 degrees of freedom."""
    series = 1 + statistic / 3 + statistic**2 / 15
    return erfc(sqrt(statistic / 2)) + sqrt(2 * statistic / pi) * exp(-statistic / 2) * series


def suspicious(samples: View, parts: Collection[str] | None = None) -> list[str]:
    """The parts with a coordinate that is not uniform; the level holds for all of them together."""
    chosen = {name: values for name, values in samples.items() if parts is None or name in parts}
    tests = 2 * sum(values.shape[1] for values in chosen.values())
    return [
        name
        for name, values in chosen.items()
        if values.shape[1] and tail_probability(float(chi_squared(values).max())) * tests < LEVEL
    ]


def functionals(samples: View, parts: Collection[str], count: int, seed: int) -> View:
    """Random base-linear functionals of some parts together: one half of all values, the other of few."""
    rng = np.random.default_rng(seed)
    values = np.concatenate([samples[name] for name in parts], axis=1)
    coefficients = rng.integers(1, MODULUS, (values.shape[1], count))
    # A dependence of few values is seen by those that have no others.
    coefficients[:, count // 2 :] *= rng.random((values.shape[1], count - count // 2)) < 4 / values.shape[1]
    result = np.zeros((len(values), count), dtype=np.int64)
    for column, row in zip(values.T, coefficients, strict=True):
        result = (result + column[:, None] * row) % MODULUS
    return {"functionals": result[:, coefficients.any(axis=0)]}
