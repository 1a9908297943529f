"""How far dequantised values are from float values, against the spread of the latter.

Let y be the float values of channel c at all samples and positions, and y' the dequantised ones. Then

    error_c^2 = mean (y' - y)^2,    spread_c^2 = mean (y - mean y)^2.

A tensor's relative error is the root of sum error_c^2 / sum spread_c^2. A constant offset of a channel adds
nothing to its spread. So an output of 1000 plus a few units is judged by those units.
"""

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from deepprove_dist.arrays import FloatArray, Reals
from deepprove_dist.kernels import deviations
from deepprove_dist.narrow_integers import Integers

# A spread below this share of the values themselves is the rounding of float32, not a signal.
CONSTANT = 1e-6

# A channel that varies less than the largest one by more than this factor is of another kind.
UNLIKE = 10.0


@dataclass(frozen=True)
class Deviation:
    """Errors and spreads of a tensor's channels [C], and the largest error of any value.

    Tensors of more channels than are kept apart have one. ``magnitudes``: roots of the mean square of values.
    """

    errors: FloatArray
    spreads: FloatArray
    magnitudes: FloatArray
    largest: float

    @property
    def mean(self) -> float:
        """Root of the mean square of all errors."""
        return _root_mean(self.errors)

    @property
    def spread(self) -> float:
        """Root of the mean square of the channels' spreads; 0 where the values do not vary."""
        spread = _root_mean(self.spreads)
        return spread if spread > CONSTANT * _root_mean(self.magnitudes) else 0.0

    @property
    def relative(self) -> float:
        """Error over spread; over the size of the values where they do not vary; 0 without any error."""
        return _quotient(self.mean, self.spread or _root_mean(self.magnitudes))

    @property
    def channels(self) -> FloatArray:
        """Error over spread of each channel [C], 0 for a channel that does not vary."""
        varies = self.spreads > CONSTANT * self.magnitudes
        return np.divide(self.errors, self.spreads, out=np.zeros_like(self.errors), where=varies)

    @property
    def worst_channel(self) -> int | None:
        """The channel of the largest relative error, where channels differ much in spread; else None."""
        spreads = self.spreads[self.channels > 0]
        if spreads.size < 2 or spreads.max() < UNLIKE * spreads.min():
            return None
        return int(self.channels.argmax())


def spread_of(values: FloatArray) -> float:
    """The root of the mean variance of elements [samples, ...] between samples.

    Where nothing varies it is the size of the values, or 1 where all are zero.
    """
    size = float(np.sqrt(np.mean(np.square(values))))
    spread = float(np.sqrt(values.var(axis=0).mean()))
    return (spread if spread > CONSTANT * size else size) or 1.0


def spread_error(expected: FloatArray, actual: FloatArray) -> float:
    """Root of the mean squared error of [samples, ...] over the expected values' spread."""
    return float(np.sqrt(np.mean(np.square(expected - actual)))) / spread_of(expected)


class DeviationSum:
    """Adds up a tensor's deviation, a sample at a time."""

    def __init__(self) -> None:
        self._origin: FloatArray | None = None
        self._sums: FloatArray = np.zeros((4, 1))
        self._count = 0
        self._largest = 0.0

    def add(self, expected: FloatArray, actual: FloatArray) -> None:
        """Float values [channels, positions] of one sample, and the dequantised ones."""
        difference, centred = actual - expected, expected - self._origin_of(expected)[:, None]
        squares = (np.einsum("cp,cp->c", values, values) for values in (difference, expected, centred))
        self._sums += np.stack([*squares, centred.sum(axis=1)])
        self._count += expected.shape[1]
        self._largest = max(self._largest, float(difference.max()), -float(difference.min()))

    def add_integers(self, expected: Reals, integers: Integers, scale: float) -> None:
        """The same, of integers of any width that count ``scale``, in one pass."""
        expected, row = np.ascontiguousarray(expected), np.ascontiguousarray(integers).reshape(-1)
        sums, largest = deviations(expected, row, scale, self._origin_of(expected))
        self._sums += sums.T
        self._count += expected.shape[1]
        self._largest = max(self._largest, largest)

    def _origin_of(self, expected: Reals) -> FloatArray:
        """The channels' means [C] on the first sample: about them, squares of large values do not cancel."""
        if self._origin is None:
            self._origin = expected.mean(axis=1, dtype=np.float64)
            self._sums = np.zeros((4, len(expected)))
        return self._origin

    def result(self) -> Deviation:
        """The deviation over all samples that were added, one or more."""
        differences, values, squares, centred = self._sums / self._count
        variances = np.maximum(squares - centred**2, 0.0)
        return Deviation(np.sqrt(differences), np.sqrt(variances), np.sqrt(values), self._largest)


def _root_mean(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _quotient(error: float, spread: float) -> float:
    # An error that is not known, since a value is not finite, is no small one.
    if not isfinite(error):
        return inf
    return error / spread if spread > 0 else float(error > 0)
