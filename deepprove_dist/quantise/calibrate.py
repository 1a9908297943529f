"""Calibration: what values each tensor of the float graph takes on representative samples.

The one place, with the choice of scales that follows from it, where inexact floating point decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepprove_dist.errors import QuantisationError
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import FloatArray, Samples


@dataclass(frozen=True)
class Statistics:
    """Extremes of a tensor's elements, and the mean square of each element over the samples, of the tensor's
    shape.
    """

    lowest: float
    highest: float
    mean_square: FloatArray


def calibrate(float_model: FloatModel, samples: Samples) -> Mapping[str, Statistics]:
    """Statistics of every tensor of the float graph. Raises QuantisationError where a value is NaN or
    infinite.
    """
    lowest: dict[str, float] = {}
    highest: dict[str, float] = {}
    squares: dict[str, FloatArray] = {}
    for values in float_model.run(samples):
        for name, value in values.items():
            if not np.isfinite(value).all():
                raise QuantisationError(
                    f"the float model computes NaN or infinity in '{name}' on a calibration sample"
                )
            lowest[name] = min(lowest.get(name, np.inf), float(value.min()))
            highest[name] = max(highest.get(name, -np.inf), float(value.max()))
            squares[name] = squares.get(name, np.zeros_like(value)) + value**2
    return {name: Statistics(lowest[name], highest[name], squares[name] / len(samples)) for name in squares}
