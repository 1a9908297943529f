"""Calibration: what values each tensor of the float graph takes on representative samples.

The one place, with the choice of scales that follows from it, where inexact floating point decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepprove_dist.errors import QuantisationError
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import FloatArray, Samples

# Elements of each tensor that are kept of each sample.
KEPT = 2048


@dataclass(frozen=True)
class Statistics:
    """Extremes of a tensor's elements, the mean square of each element over the samples, of the tensor's
    shape, and some of all the elements [n].
    """

    lowest: float
    highest: float
    mean_square: FloatArray
    elements: FloatArray


def calibrate(float_model: FloatModel, samples: Samples) -> Mapping[str, Statistics]:
    """Statistics of every tensor of the float graph. Raises QuantisationError where a value is NaN or
    infinite.
    """
    lowest: dict[str, float] = {}
    highest: dict[str, float] = {}
    squares: dict[str, FloatArray] = {}
    kept: dict[str, list[FloatArray]] = {}
    generator = np.random.default_rng(0)
    for values in float_model.run(samples):
        for name, value in values.items():
            if not np.isfinite(value).all():
                raise QuantisationError(
                    f"the float model computes NaN or infinity in '{name}' on a calibration sample"
                )
            lowest[name] = min(lowest.get(name, np.inf), float(value.min()))
            highest[name] = max(highest.get(name, -np.inf), float(value.max()))
            squares[name] = squares.get(name, np.zeros_like(value)) + value**2
            places = slice(None) if value.size <= KEPT else generator.integers(value.size, size=KEPT)
            kept.setdefault(name, []).append(value.ravel()[places])
    return {
        name: Statistics(
            lowest[name], highest[name], squares[name] / len(samples), np.concatenate(kept[name])
        )
        for name in squares
    }
