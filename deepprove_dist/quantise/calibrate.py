"""Calibration: what values each tensor of the float graph takes on representative samples.

The one place, with the choice of scales that follows from it, where inexact floating point decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import QuantisationError
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples

# Elements of each tensor that are kept of each sample.
CHOSEN = 2048


@dataclass(frozen=True)
class Statistics:
    """What calibration knows of a tensor.

    Attributes:
        lowest: the smallest element.
        highest: the largest element.
        mean_square: of each element over the samples, of the tensor's shape.
        elements: some of all the elements [n].
        spread: how far an element varies between samples: the root of the mean variance. Of a large tensor,
            how far all elements vary.
    """

    lowest: float
    highest: float
    mean_square: FloatArray
    elements: FloatArray
    spread: float


class Calibrator:
    """Gathers the statistics of every tensor of the float graph, a sample at a time."""

    def __init__(self) -> None:
        self._lowest: dict[str, float] = {}
        self._highest: dict[str, float] = {}
        self._squares: dict[str, FloatArray] = {}
        self._chosen: dict[str, list[FloatArray]] = {}
        self._count = 0
        self._generator = np.random.default_rng(0)

    def add(self, values: Mapping[str, FloatArray]) -> None:
        """Adds a sample's tensors by name. Raises QuantisationError where a value is NaN or infinite."""
        self._count += 1
        for name, value in values.items():
            if not np.isfinite(value).all():
                raise QuantisationError(
                    f"the float model computes NaN or infinity in '{name}' on a calibration sample"
                )
            self._lowest[name] = min(self._lowest.get(name, np.inf), float(value.min()))
            self._highest[name] = max(self._highest.get(name, -np.inf), float(value.max()))
            self._squares[name] = self._squares.get(name, np.zeros_like(value)) + value**2
            few = value.size <= CHOSEN
            indices = slice(None) if few else self._generator.integers(value.size, size=CHOSEN)
            self._chosen.setdefault(name, []).append(value.ravel()[indices])

    def statistics(self) -> Mapping[str, Statistics]:
        """By tensor, of all samples that were added."""
        return {name: self._statistics(name) for name in self._squares}

    def _statistics(self, name: str) -> Statistics:
        chosen = self._chosen[name]
        # Of a large tensor other elements are kept of each sample.
        whole = chosen[0].size == self._squares[name].size
        variances = np.stack(chosen).var(axis=0) if whole else np.concatenate(chosen).var()
        return Statistics(
            self._lowest[name],
            self._highest[name],
            self._squares[name] / self._count,
            np.concatenate(chosen),
            float(np.sqrt(np.mean(variances))),
        )


def calibrate(float_model: FloatModel, samples: Samples) -> Mapping[str, Statistics]:
    """Statistics of every tensor of the float graph. Raises QuantisationError where a value is NaN or
    infinite.
    """
    calibrator = Calibrator()
    for values in float_model.run(samples):
        calibrator.add(values)
    return calibrator.statistics()
