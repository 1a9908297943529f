"""A linear layer's numbers: the real bounds of its accumulator, its rounding error, its integer weights.

With input integers X (real = s_x X) and an accumulator in units of u (real = u acc), the integer weights and
bias are W = round(w s_x / u) and b = round(v / u). Rounding moves each weight by an error uniform in [-1/2,
1/2], of variance 1/12, so the accumulator has the error sqrt(sum_k E[X_k^2] / 12).
"""

from math import sqrt

import numpy as np

from deepprove_dist.importing.float_graph import FloatDense
from deepprove_dist.protocol.table import IntArray
from deepprove_dist.quantise.format import Format
from deepprove_dist.samples import FloatArray


def rounding_error(source: Format, mean_square: FloatArray) -> float:
    """Standard deviation, in units of the accumulator, of the error that rounding the weights makes.

    An element that calibration saw as (nearly) zero counts as one unit: its weights matter on other samples.
    """
    squares: FloatArray = np.maximum(mean_square / source.scale**2, 1.0)
    return sqrt(squares.sum(axis=-1).max() / 12)


def rounding_bound(layer: FloatDense, source: Format) -> float:
    """Largest change of an accumulator, in its units, that rounding weights and bias can make."""
    terms: int = layer.weight.shape[1]
    return (terms * max(-source.lo, source.hi) + 1) / 2


def real_bounds(layer: FloatDense, source: Format) -> tuple[float, float]:
    """Smallest and largest real output for inputs in range."""
    positive = np.maximum(layer.weight, 0).sum(axis=1) * source.scale
    negative = np.minimum(layer.weight, 0).sum(axis=1) * source.scale
    lowest = positive * source.lo + negative * source.hi + layer.bias
    highest = positive * source.hi + negative * source.lo + layer.bias
    return float(lowest.min()), float(highest.max())


def integer_weights(layer: FloatDense, source: Format, unit: float) -> tuple[IntArray, IntArray]:
    """W [N, K] and b [N] for an accumulator in units of ``unit``."""
    weight = np.rint(layer.weight * (source.scale / unit)).astype(np.int64)
    return weight, np.rint(layer.bias / unit).astype(np.int64)
