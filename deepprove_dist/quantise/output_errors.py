"""Errors at the outputs of quantised models, by which one of them is chosen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray, Mask
from deepprove_dist.model.inference import IntegerRunner, samples_at_once
from deepprove_dist.model.rows_by_input import rows_for
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.quantise.report import real_outputs
from deepprove_dist.samples.rounding import quantise_inputs

# A rule that clamps values has to bring the squared error down to this share, on either half of the samples
# held out: a fifth off the error, which is more than chance gives.
CLEAR = 0.64

# A margin makes all values coarser for the sake of a few: it has to halve the error.
HALVED = 0.25

# And the largest error of a value may be this much larger: clamping trades rare errors for common ones.
LARGEST_GROWTH = 1.25


@dataclass(frozen=True)
class OutputErrors:
    """``squares``: the squared error of each output and sample over the squared spread [outputs, n].

    ``largest``: the largest error of an output's values over its spread [outputs].
    """

    squares: FloatArray
    largest: FloatArray

    @classmethod
    def of(
        cls,
        quantised: QuantisedModel,
        float_model: FloatModel,
        judging: Marked,
        expected: Mapping[str, FloatArray],
    ) -> "OutputErrors":
        """Runs the integer model on samples; ``expected`` has the float model's outputs [n, *shape]."""
        integers = quantise_inputs(quantised.model, judging.samples.inputs, clamp=True)
        parts = list(
            IntegerRunner(quantised.model, rows=rows_for(quantised.model, expected)).tensors(
                integers, list(expected), samples_at_once(float_model.elements), float_model.threads_ahead
            )
        )
        results = real_outputs(
            quantised.model, {name: np.concatenate([part[name] for part in parts]) for name in expected}
        )
        squares, largest = [], []
        for name, real in expected.items():
            errors = np.abs(results[name] - real).reshape(len(real), -1)
            variances = real[judging.ordinary].var(axis=0)
            spread = float(np.sqrt(variances.mean())) or float(np.abs(real).max()) or 1.0
            squares.append(np.square(errors / spread).mean(axis=1))
            largest.append(float(errors.max()) / spread)
        return cls(np.array(squares), np.array(largest))

    @property
    def relative(self) -> float:
        """The root of the mean square of the worst output."""
        return float(np.sqrt(self.squares.mean(axis=1).max()))

    def clearly_below(self, base: "OutputErrors", ordinary: Mask) -> bool:
        """Less on either half of the ordinary samples, and for no output more on all of them."""
        halves = np.flatnonzero(ordinary)[::2], np.flatnonzero(ordinary)[1::2]
        clear = all(
            self.squares[:, half].sum() < CLEAR * base.squares[:, half].sum() for half in halves if len(half)
        )
        return clear and self.nowhere_above(base)

    def clearly_below_in_all(self, base: "OutputErrors") -> bool:
        """Half on all samples together, and for no output more."""
        return bool(self.squares.sum() < HALVED * base.squares.sum()) and self.nowhere_above(base)

    def nowhere_above(self, base: "OutputErrors") -> bool:
        """For no output more on all samples, nor much larger at any value."""
        no_more = self.squares.sum(axis=1) <= base.squares.sum(axis=1)
        bounded = self.largest <= LARGEST_GROWTH * base.largest
        return bool(no_more.all() and bounded.all())
