"""Choosing how ranges are calibrated: by the error at the outputs on samples that calibration did not see.

Every fourth sample is held out. Each rule is calibrated on the others. The first rule of a method stands
unless its error matters and another rule is better. That one has to be clearly better on the samples held
out, and no worse on those that calibrated it. The rule that is chosen is then calibrated on all samples.
Where the bits of activations are not given, they are chosen before, with the first rule or a margin.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Protocol, TypeVar

import numpy as np

from deepprove_dist.ahead import one_ahead
from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.choices import require_choice
from deepprove_dist.errors import (
    FormatError,
    MemoryLimitError,
    ModelError,
    QuantisationError,
    SecurityError,
)
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.activation_bits import (
    AUTO,
    HELPFUL,
    INEXACT,
    LEAST,
    TRIED,
    ActivationBits,
    Widening,
    fewest_bits,
    starting_bits,
)
from deepprove_dist.quantise.calibration import Calibrated, Calibration, calibrate_with_trial
from deepprove_dist.quantise.float_model import MOST_TRIED, FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.output_errors import OutputErrors
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.quantise.ranges import MARGIN, METHODS
from deepprove_dist.samples import Samples

Result = TypeVar("Result")

# Of so many samples one is held out, unless that makes more than a trial takes.
HELD_OUT = 4

# With fewer samples none is held out: those few would not tell rules apart.
FEWEST = 16

# An error over the spread that is not worth the risk of clamping values.
SMALL = 0.02


@dataclass(frozen=True)
class Selection:
    """The model, calibrated on all samples; the trial of its rule, calibrated without the samples held out,
    and these. The latter two are None for fewer than FEWEST samples. ``stated``: the model's formats are its
    file's, and the samples are random ones. ``bits``: those of activations.
    """

    final: Calibrated
    trial: Calibrated | None = None
    held_out: Marked | None = None
    stated: bool = False
    bits: int = LEAST


def quantise_best(
    float_model: FloatModel,
    samples: Samples,
    activation_bits: ActivationBits = LEAST,
    method: str = "auto",
    *,
    rounded: bool = False,
    require_provable: Callable[[IntegerModel], object] = lower,
) -> Selection:
    """Quantises by the best rule of a calibration method; `rounded` as for `quantise`.

    With "auto" as bits they are the fewest that are exact enough, or LEAST for fewer than FEWEST samples.
    `require_provable` raises an error for a model that no keys can be made for.

    Raises ChoiceError for an unknown method, and what `quantise` raises.
    """
    require_choice("calibration method", method, METHODS)
    graph, rules = float_model.graph, METHODS[method]
    held_out = held_out_indices(len(samples), float_model.most_tried)
    bits = starting_bits(activation_bits)
    others = TRIED if activation_bits == AUTO else ()
    whole, trial_basis, expected = calibrate_with_trial(float_model, samples, held_out, bits)
    if trial_basis is None:

        def selected(bits: int) -> Selection:
            return Selection(whole.quantise(graph, bits, rules[0], rounded=rounded), bits=bits)

        return _first_without_error(selected, bits, others)
    judging = whole.basis.take(held_out)
    errors = partial(OutputErrors.of, float_model=float_model, judging=judging, expected=expected)
    finals = cache(partial(whole.quantise, graph, rounded=rounded))
    trying = _Trying(trial_basis, graph, errors, rules[0], rounded, finals, require_provable)
    first = _first_without_error(trying.attempt, bits, others)
    if activation_bits == AUTO:
        first = fewest_bits(first, trying.usable_attempt)
        if MARGIN in rules:
            first = trying.with_margin(first)
    # Later rules are tried only where the first one's error matters.
    rules = tuple(rule for rule in rules if rule != first.model.calibrated.quantised.range_rule)
    better = partial(_clearly_better, first.model.errors, judging)
    ahead = float_model.threads_ahead > 0
    trials = () if first.error < SMALL else trying.by_rules(first.bits, rules, better, ahead=ahead)
    trial = _best(float_model, first.model.calibrated, list(trials))
    final = finals(first.bits, trial.quantised.range_rule)
    return Selection(final, trial, judging, bits=first.bits)


def _first_without_error(attempt: Callable[[int], Result], bits: int, others: Sequence[int]) -> Result:
    """The attempt with these bits, or the first of others where these raise an error: a sum may be too wide.

    Raises the first error where all do.
    """
    try:
        return attempt(bits)
    except (QuantisationError, ModelError):
        for other in others:
            with suppress(QuantisationError, ModelError):
                return attempt(other)
        raise


_Promising = Callable[[OutputErrors], bool]
_Better = Callable[[str, OutputErrors], bool]


class _Errors(Protocol):
    def __call__(self, quantised: QuantisedModel, *, promising: _Promising | None = None) -> OutputErrors:
        """Those of a model on the samples held out, as `OutputErrors.of` has them."""


@dataclass(frozen=True)
class _Tried:
    """A model, and its errors on the samples held out."""

    calibrated: Calibrated
    errors: OutputErrors


@dataclass(frozen=True)
class _Trying:
    """Trials of one rule with several widths of activations.

    ``finals`` gives the model of all samples, of so many bits and a rule.
    """

    calibration: Calibration
    graph: FloatGraph
    errors: _Errors
    rule: str
    rounded: bool
    finals: Callable[[int, str], Calibrated]
    require_provable: Callable[[IntegerModel], object]

    def attempt(self, bits: int) -> Widening[_Tried]:
        """The trial with so many bits. Raises QuantisationError as `quantise` does."""
        calibrated = self._planned(bits, self.rule)
        tried = _Tried(calibrated, self.errors(calibrated.quantised))
        return Widening(bits, tried, tried.errors.relative)

    def by_rules(self, bits: int, rules: Sequence[str], better: _Better, *, ahead: bool) -> Iterator[_Tried]:
        """The same by other rules, of those that are ``better``: what is not is run no further.

        With ``ahead`` the next model is made while one is run.
        """
        plan = partial(self._planned_or_none, bits)
        for rule, calibrated in zip(rules, (one_ahead if ahead else map)(plan, rules), strict=True):
            if calibrated is None:
                continue
            errors = self.errors(calibrated.quantised, promising=partial(better, rule))
            if better(rule, errors):
                yield _Tried(calibrated, errors)

    def _planned(self, bits: int, rule: str) -> Calibrated:
        return self.calibration.quantise(self.graph, bits, rule, rounded=self.rounded)

    def _planned_or_none(self, bits: int, rule: str) -> Calibrated | None:
        with suppress(QuantisationError, ModelError):
            return self._planned(bits, rule)
        return None

    def usable_attempt(self, bits: int) -> Widening[_Tried] | None:
        """The same; None where no keys could be made for such a model of all samples."""
        with suppress(QuantisationError, ModelError, FormatError, SecurityError, MemoryLimitError):
            self.require_provable(self.finals(bits, self.rule).quantised.model)
            return self.attempt(bits)
        return None

    def with_margin(self, first: Widening[_Tried]) -> Widening[_Tried]:
        """The same as ``first``, or with many bits and a margin, where that is closer.

        Where values are clamped that calibration did not see, finer steps alone bring little. A margin costs
        hardly any precision then.
        """
        if first.error <= INEXACT:
            return first
        wider = replace(self, rule=MARGIN).usable_attempt(TRIED[-1])
        return wider if wider is not None and wider.error <= HELPFUL * first.error else first


def held_out_indices(count: int, most: int = MOST_TRIED) -> IntArray:
    """Which of so many samples are held out, `most` at most: evenly spread, the same ones every time."""
    if count < FEWEST:
        return np.zeros(0, dtype=np.int64)
    step = max(HELD_OUT, -(-count // most))
    return np.arange(step - 1, count, step)


def _clearly_better(first: OutputErrors, judging: Marked, rule: str, errors: OutputErrors) -> bool:
    """Whether a rule's errors are clearly below the first one's. As samples come, they never are again."""
    if rule == MARGIN:
        # It clamps less: what it gains are the rare values, on one sample perhaps.
        return errors.clearly_below_in_all(first)
    return errors.clearly_below(first, judging.ordinary)


def _best(float_model: FloatModel, first: Calibrated, better: Sequence[_Tried]) -> Calibrated:
    """The first one, or the one with the smallest error of those that are clearly better."""
    seen = _SeenSamples(float_model, first)
    for trial in sorted(better, key=lambda trial: float(trial.errors.squares.sum())):
        # Only a rule that clamps more can be worse where others were calibrated.
        if trial.calibrated.quantised.range_rule == MARGIN or seen.nowhere_worse(trial.calibrated):
            return trial.calibrated
    return first


@dataclass(frozen=True)
class _SeenSamples:
    """The samples that calibrated the first trial: they have the rare values that other rules clamp."""

    float_model: FloatModel
    first: Calibrated

    def nowhere_worse(self, trial: Calibrated) -> bool:
        """Whether a trial is no worse on them."""
        base = self._base
        return self._errors(trial, lambda errors: errors.nowhere_above(base)).nowhere_above(base)

    @cached_property
    def _base(self) -> OutputErrors:
        return self._errors(self.first)

    def _errors(self, trial: Calibrated, promising: _Promising | None = None) -> OutputErrors:
        return OutputErrors.of(trial.quantised, self.float_model, self._samples, self._expected, promising)

    @cached_property
    def _samples(self) -> Marked:
        basis = self.first.calibration.basis
        return basis.take(np.arange(min(self.float_model.most_tried, len(basis.samples))))

    @cached_property
    def _expected(self) -> Mapping[str, FloatArray]:
        outputs = self.float_model.graph.outputs
        runs = list(self.float_model.run(self._samples.samples, outputs.values()))
        return {name: np.stack([values[tensor] for values in runs]) for name, tensor in outputs.items()}
