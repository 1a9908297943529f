"""Errors at the outputs of quantised models, by which one of them is chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray, Mask
from deepprove_dist.model.inference import samples_at_once
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
        promising: "Callable[[OutputErrors], bool] | None" = None,
    ) -> "OutputErrors":
        """Runs the integer model on samples; ``expected`` has the float model's outputs [n, *shape].

        What is not ``promising`` is run no further: the samples after that have no error.
        """
        integers = quantise_inputs(quantised.model, judging.samples.inputs, clamp=True)
        at_once = samples_at_once(float_model.elements)
        parts = quantised.runs.tensors(integers, list(expected), at_once, float_model.threads_ahead)
        spreads = [_spread(real, judging) for real in expected.values()]
        so_far = cls(np.zeros((len(expected), len(judging.samples))), np.zeros(len(expected)))
        for first, part in zip(range(0, len(judging.samples), at_once), parts, strict=True):
            results = real_outputs(quantised.model, part)
            for index, (name, real) in enumerate(expected.items()):
                values = slice(first, first + len(results[name]))
                errors = np.abs(results[name] - real[values]).reshape(len(results[name]), -1)
                so_far.squares[index, values] = np.square(errors / spreads[index]).mean(axis=1)
                so_far.largest[index] = max(so_far.largest[index], errors.max() / spreads[index])
            if promising is not None and not promising(so_far):
                break
        return so_far

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


def _spread(real: FloatArray, judging: Marked) -> float:
    """Of an output [n, *shape] on ordinary samples; else its size, or 1 where it is zero."""
    variances = real[judging.ordinary].var(axis=0)
    return float(np.sqrt(variances.mean())) or float(np.abs(real).max()) or 1.0
