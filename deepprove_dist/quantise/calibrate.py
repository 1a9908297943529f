"""Calibration: what values each tensor of the float graph takes on representative samples.

The one place, with the choice of scales that follows from it, where inexact floating point decides anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

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
        self._generator = np.random.default_rng(0)

    def add(self, values: Mapping[str, FloatArray]) -> None:
        """Adds a sample's tensors by name. Raises QuantisationError where a value is NaN or infinite."""
        add_to((self,), values)

    def add_tensor(self, name: str, seen: "Seen") -> None:
        """Adds a tensor of one sample."""
        self._lowest[name] = min(self._lowest.get(name, np.inf), seen.lowest)
        self._highest[name] = max(self._highest.get(name, -np.inf), seen.highest)
        if name in self._squares:
            self._squares[name] += seen.squares
        else:
            self._squares[name] = seen.squares.copy()
            self._chosen[name] = []
        few = seen.value.size <= CHOSEN
        indices = slice(None) if few else self._generator.integers(seen.value.size, size=CHOSEN)
        self._chosen[name].append(seen.value.ravel()[indices])

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
            self._squares[name] / len(chosen),
            np.concatenate(chosen),
            float(np.sqrt(np.mean(variances))),
        )


@dataclass(frozen=True)
class Seen:
    """A tensor of one sample, and what calibrators share of it."""

    value: FloatArray
    lowest: float
    highest: float
    squares: FloatArray


def add_to(calibrators: Sequence[Calibrator], values: Mapping[str, FloatArray]) -> None:
    """Adds a sample's tensors by name to several calibrators.

    Raises QuantisationError where a value is NaN or infinite.
    """
    for name, value in values.items():
        # Both ends are NaN where any value is.
        lowest, highest = float(value.min()), float(value.max())
        if not isfinite(lowest) or not isfinite(highest):
            raise QuantisationError(
                f"the float model computes NaN or infinity in '{name}' on a calibration sample"
            )
        seen = Seen(value, lowest, highest, np.square(value))
        for calibrator in calibrators:
            calibrator.add_tensor(name, seen)


def calibrate(float_model: FloatModel, samples: Samples) -> Mapping[str, Statistics]:
    """Statistics of every tensor of the float graph. Raises QuantisationError where a value is NaN or
    infinite.
    """
    calibrator = Calibrator()
    for values in float_model.run(samples):
        calibrator.add(values)
    return calibrator.statistics()
