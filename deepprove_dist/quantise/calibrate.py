"""Calibration: what values each tensor of the float graph takes on representative samples.

The one place, with the choice of scales that follows from it, where inexact floating point decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np

from deepprove_dist.ahead import in_order
from deepprove_dist.arrays import FloatArray, IntArray, Reals
from deepprove_dist.errors import QuantisationError
from deepprove_dist.kernels import add_to_squares, row_extremes
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples

# Elements of each tensor that are kept of each sample.
CHOSEN = 2048

# Elements of a tensor from which on their squares are held in single precision.
LARGE = 2**18

ChannelEnds: TypeAlias = tuple[FloatArray, FloatArray]
"""The smallest and the largest elements of channels [C]."""

# Values of a sample from which on its tensors are shared between threads.
SHARED = 2**20


@dataclass(frozen=True)
class Statistics:
    """What calibration knows of a tensor.

    Attributes:
        lowest: the smallest element.
        highest: the largest element.
        mean_square: of each element over the samples, of the tensor's shape; of a large one in single
            precision.
        elements: some of all the elements [n].
        spread: how far an element varies between samples: the root of the mean variance. Of a large tensor,
            how far all elements vary.
        channels: the smallest and the largest element of each channel [C], or of all where none are told.
        positions: of a sample's ``elements``, in the tensor in row-major order [m]; those of all samples are
            one after the other.
    """

    lowest: float
    highest: float
    mean_square: Reals
    elements: FloatArray
    spread: float
    channels: ChannelEnds = (np.zeros(0), np.zeros(0))
    positions: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def divided(self, scales: FloatArray) -> Statistics:
        """Of the tensor over scales [C] of its last axis, which its channels are."""
        if (scales == 1).all():
            return self
        ends = self.channels[0] / scales, self.channels[1] / scales
        of_elements = np.tile(scales[self.positions % len(scales)], len(self.elements) // len(self.positions))
        elements = self.elements / of_elements
        return replace(
            self,
            lowest=float(ends[0].min()),
            highest=float(ends[1].max()),
            mean_square=self.mean_square / np.square(scales).astype(self.mean_square.dtype),
            elements=elements,
            spread=self.spread * float(elements.std() / (self.elements.std() or 1.0)),
            channels=ends,
        )


class Calibrator:
    """Gathers the statistics of every tensor of the float graph, a sample at a time."""

    def __init__(self) -> None:
        self._ends: dict[str, ChannelEnds] = {}
        self._squares: dict[str, Reals] = {}
        self._chosen: dict[str, list[FloatArray]] = {}
        self._indices: dict[str, slice | IntArray] = {}
        self._generator = np.random.default_rng(0)

    def add(self, values: Mapping[str, Reals]) -> None:
        """Adds a sample's tensors by name. Raises QuantisationError where a value is NaN or infinite."""
        add_to((self,), values)

    def choose(self, name: str, size: int) -> None:
        """Chooses which elements of a tensor are kept; tensors' turns decide what is chosen."""
        few = size <= CHOSEN
        self._indices[name] = slice(None) if few else self._generator.integers(size, size=CHOSEN)

    def add_tensor(self, name: str, seen: Seen) -> None:
        """Adds a tensor of one sample, after `choose`."""
        (lowest, highest), (low, high) = self._ends.get(name, seen.ends), seen.ends
        self._ends[name] = np.minimum(lowest, low), np.maximum(highest, high)
        chosen = seen.value.ravel()[self._indices[name]].astype(np.float64)
        if name not in self._squares:
            # Of C order whatever the value's is, so that it is changed in place below.
            kind = np.float32 if seen.value.size >= LARGE else np.float64
            self._squares[name], self._chosen[name] = np.empty(seen.value.shape, dtype=kind), [chosen]
            np.square(seen.value, out=self._squares[name], dtype=np.float64, casting="same_kind")
            return
        self._chosen[name].append(chosen)
        add_to_squares(self._squares[name].reshape(-1), np.ascontiguousarray(seen.value).reshape(-1))

    def statistics(self) -> Mapping[str, Statistics]:
        """By tensor, of all samples that were added. No more can be added after that."""
        return {name: self._statistics(name) for name in tuple(self._squares)}

    def _statistics(self, name: str) -> Statistics:
        chosen, squares = self._chosen[name], self._squares.pop(name)
        squares /= len(chosen)
        # Of a large tensor other elements are kept of each sample.
        whole = chosen[0].size == squares.size
        variances = np.stack(chosen).var(axis=0) if whole else np.concatenate(chosen).var()
        ends = self._ends[name]
        return Statistics(
            float(ends[0].min()),
            float(ends[1].max()),
            squares,
            np.concatenate(chosen),
            float(np.sqrt(np.mean(variances))),
            ends,
            np.arange(squares.size)[self._indices[name]],
        )


@dataclass(frozen=True)
class Seen:
    """A tensor of one sample, and what calibrators share of it."""

    value: Reals
    ends: ChannelEnds

    @classmethod
    def of(cls, name: str, value: Reals, channels: Channels | None = None) -> Seen:
        """A tensor, with its channels if these are known.

        Raises QuantisationError where a value is NaN or infinite.
        """
        rows = value.reshape(1, -1) if channels is None else channels.split(name, value)
        ends = row_extremes(np.ascontiguousarray(rows))
        # Both ends are NaN where any value is.
        if not (np.isfinite(ends[0]).all() and np.isfinite(ends[1]).all()):
            raise QuantisationError(
                f"the float model computes NaN or infinity in '{name}' on a calibration sample. Leave such "
                "samples out, or bound what it reads in the model (Clip, Max)"
            )
        return cls(value, ends)


def add_to(
    calibrators: Sequence[Calibrator],
    values: Mapping[str, Reals],
    threads: int = 0,
    channels: Channels | None = None,
) -> None:
    """Adds a sample's tensors by name to several calibrators; so many threads share large samples.

    Raises QuantisationError where a value is NaN or infinite.
    """
    sizes = {name: value.size for name, value in values.items()}
    for calibrator in calibrators:
        for name, size in sizes.items():
            calibrator.choose(name, size)
    work = partial(_add_tensor, calibrators, channels)
    for _ in in_order(work, values.items(), threads if sum(sizes.values()) > SHARED else 0):
        pass


def _add_tensor(
    calibrators: Sequence[Calibrator], channels: Channels | None, tensor: tuple[str, Reals]
) -> None:
    seen = Seen.of(*tensor, channels)
    for calibrator in calibrators:
        calibrator.add_tensor(tensor[0], seen)


def calibrate(float_model: FloatModel, samples: Samples) -> Mapping[str, Statistics]:
    """Statistics of every tensor of the float graph. Raises QuantisationError where a value is NaN or
    infinite.
    """
    calibrator, channels = Calibrator(), Channels(float_model.graph)
    for values in float_model.run_as_computed(samples):
        add_to((calibrator,), values, float_model.threads_ahead, channels)
    return calibrator.statistics()
