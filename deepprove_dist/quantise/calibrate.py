"""Calibration: what values each tensor of the float graph takes on representative samples.

The one place, with the choice of scales that follows from it, where inexact floating point decides anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
            precision. A trial's are those of all samples: no range depends on them.
        elements: some of all the elements [n].
        spread: how far an element varies between samples: the root of the mean variance. Of a large tensor,
            how far all elements vary.
        channels: the smallest and the largest element of each channel [C], or of all where none are told.
        positions: of each sample's ``elements`` in the tensor, in row-major order.
    """

    lowest: float
    highest: float
    mean_square: Reals
    elements: FloatArray
    spread: float
    channels: ChannelEnds = (np.zeros(0), np.zeros(0))
    positions: Sequence[IntArray] = ()

    def divided(self, scales: FloatArray) -> Statistics:
        """Of the tensor over scales [C] of its last axis, which its channels are."""
        if (scales == 1).all():
            return self
        ends = self.channels[0] / scales, self.channels[1] / scales
        elements = self.elements / scales[np.concatenate(self.positions) % len(scales)]
        return replace(
            self,
            lowest=float(ends[0].min()),
            highest=float(ends[1].max()),
            mean_square=self.mean_square / np.square(scales).astype(self.mean_square.dtype),
            elements=elements,
            spread=self.spread * float(elements.std() / (self.elements.std() or 1.0)),
            channels=ends,
        )


class _Gathered:
    """The ends of a tensor's channels on some samples, and elements of each."""

    def __init__(self) -> None:
        self._ends: ChannelEnds | None = None
        self._chosen: list[FloatArray] = []
        self._positions: list[IntArray] = []

    def add(self, ends: ChannelEnds, chosen: FloatArray, positions: IntArray) -> None:
        """Adds a sample."""
        (low, high), (lowest, highest) = ends, self._ends or ends
        self._ends = np.minimum(lowest, low), np.maximum(highest, high)
        self._chosen.append(chosen)
        self._positions.append(positions)

    def statistics(self, mean_square: Reals) -> Statistics:
        """Of all samples that were added, one or more."""
        assert self._ends is not None, "a sample was added"
        # Of a large tensor other elements are kept of each sample.
        whole = self._chosen[0].size == mean_square.size
        elements = np.concatenate(self._chosen)
        variances = np.stack(self._chosen).var(axis=0) if whole else elements.var()
        return Statistics(
            float(self._ends[0].min()),
            float(self._ends[1].max()),
            mean_square,
            elements,
            float(np.sqrt(np.mean(variances))),
            self._ends,
            self._positions,
        )


class Calibrator:
    """Gathers the statistics of every tensor of the float graph, a sample at a time, and those of a trial."""

    def __init__(self) -> None:
        self._all = defaultdict[str, _Gathered](_Gathered)
        self._trial = defaultdict[str, _Gathered](_Gathered)
        self._squares: dict[str, Reals] = {}
        self._positions: dict[str, IntArray] = {}
        self._samples = 0
        self._generator = np.random.default_rng(0)

    def add(
        self,
        values: Mapping[str, Reals],
        *,
        held_out: bool = False,
        channels: Channels | None = None,
        threads: int = 0,
    ) -> None:
        """Adds a sample's tensors by name, from which the trial may be held out.

        So many threads share a large sample. Raises QuantisationError where a value is NaN or infinite.
        """
        self._samples += 1
        for name, value in values.items():
            self._choose(name, value.size)
        many = sum(value.size for value in values.values()) > SHARED
        work = partial(self._add_tensor, held_out, channels)
        for _ in in_order(work, values.items(), threads if many else 0):
            pass

    def _choose(self, name: str, size: int) -> None:
        """Chooses which elements of a tensor are kept: of a large one others of each sample."""
        if size > CHOSEN:
            self._positions[name] = self._generator.integers(size, size=CHOSEN)
        elif name not in self._positions:
            self._positions[name] = np.arange(size)

    def _add_tensor(self, held_out: bool, channels: Channels | None, tensor: tuple[str, Reals]) -> None:
        name, value = tensor
        ends, positions = _ends(name, value, channels), self._positions[name]
        chosen = value.ravel()[positions].astype(np.float64)
        self._all[name].add(ends, chosen, positions)
        if not held_out:
            self._trial[name].add(ends, chosen, positions)
        if name in self._squares:
            add_to_squares(self._squares[name].reshape(-1), np.ascontiguousarray(value).reshape(-1))
        else:
            # Of C order whatever the value's is, so that it is changed in place later.
            kind = np.float32 if value.size >= LARGE else np.float64
            self._squares[name] = np.empty(value.shape, dtype=kind)
            np.square(value, out=self._squares[name], dtype=np.float64, casting="same_kind")

    def statistics(self) -> tuple[Mapping[str, Statistics], Mapping[str, Statistics]]:
        """By tensor, of all samples that were added and of the trial's. No more can be added after that."""
        for squares in self._squares.values():
            np.divide(squares, self._samples, out=squares)
        # In the order of the graph, not in that of threads.
        of_all, of_trial = (
            {name: part[name].statistics(self._squares[name]) for name in self._positions if name in part}
            for part in (self._all, self._trial)
        )
        return of_all, of_trial


def _ends(name: str, value: Reals, channels: Channels | None) -> ChannelEnds:
    """Those of a tensor's channels on a sample. Raises QuantisationError where a value is NaN or infinite."""
    rows = value.reshape(1, -1) if channels is None else channels.split(name, value)
    ends = row_extremes(np.ascontiguousarray(rows))
    # Both ends are NaN where any value is.
    if not (np.isfinite(ends[0]).all() and np.isfinite(ends[1]).all()):
        raise QuantisationError(
            f"the float model computes NaN or infinity in '{name}' on a calibration sample. Leave such "
            "samples out, or bound what it reads in the model (Clip, Max)"
        )
    return ends


def calibrate(float_model: FloatModel, samples: Samples) -> Mapping[str, Statistics]:
    """Statistics of every tensor of the float graph. Raises QuantisationError where a value is NaN or
    infinite.
    """
    calibrator, channels = Calibrator(), Channels(float_model.graph)
    for values in float_model.run_as_computed(samples):
        calibrator.add(values, channels=channels, threads=float_model.threads_ahead)
        # The next sample's tensors take their place.
        del values
    return calibrator.statistics()[0]
