"""Choosing how ranges are calibrated: by the error at the outputs on samples that calibration did not see.

Every fourth sample is held out. Each rule is calibrated on the others. The first rule of a method stands
unless its error matters and another rule is better. That one has to be clearly better on the samples held
out, and no worse on those that calibrated it. The rule that is chosen is then calibrated on all samples.
Where the bits of activations are not given, they are chosen before, with the first rule or a margin.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray, Mask
from deepprove_dist.choices import require_choice
from deepprove_dist.errors import FormatError, ModelError, QuantisationError, SecurityError
from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.formats import Format
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
from deepprove_dist.quantise.calibrate import Calibrator, Statistics, calibrate
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inputs import choose_inputs
from deepprove_dist.quantise.ordinary import Marked, ordinary
from deepprove_dist.quantise.quantise import QuantisedModel, quantise
from deepprove_dist.quantise.ranges import MARGIN, METHODS
from deepprove_dist.quantise.report import real_outputs
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs

# Of so many samples one is held out, unless that makes more than MOST_HELD_OUT.
HELD_OUT = 4
MOST_HELD_OUT = 64

# With fewer samples none is held out: those few would not tell rules apart.
FEWEST = 16

# An error over the spread that is not worth the risk of clamping values.
SMALL = 0.02

# A rule that clamps values has to bring the squared error down to this share, on either half of the samples
# held out: a fifth off the error, which is more than chance gives.
CLEAR = 0.64

# A margin makes all values coarser for the sake of a few: it has to halve the error.
HALVED = 0.25

# And the largest error of a value may be this much larger: clamping trades rare errors for common ones.
LARGEST_GROWTH = 1.25


@dataclass(frozen=True)
class Calibration:
    """Samples, the statistics of the float tensors on them, and the formats of the inputs."""

    basis: Marked
    statistics: Mapping[str, Statistics]
    inputs: Mapping[str, Format]

    @classmethod
    def of(
        cls,
        float_model: FloatModel,
        basis: Marked,
        activation_bits: int,
        statistics: Mapping[str, Statistics] | None = None,
    ) -> "Calibration":
        """By float runs of the samples. Raises QuantisationError as `calibrate` does."""
        if statistics is None:
            statistics = calibrate(float_model, basis.samples)
        inputs = choose_inputs(float_model.graph, float_model, basis.samples, activation_bits)
        return cls(basis, statistics, inputs)

    def quantise(
        self, graph: FloatGraph, activation_bits: int, rule: str, *, rounded: bool = False
    ) -> "Calibrated":
        """The graph with ranges by one of RANGE_RULES. Raises QuantisationError as `quantise` does."""
        quantised = quantise(graph, self.statistics, activation_bits, rule, self.inputs, rounded=rounded)
        return Calibrated(quantised, self, rounded)


@dataclass(frozen=True)
class Calibrated:
    """A quantised model and its calibration; `rounded` as for `quantise`."""

    quantised: QuantisedModel
    calibration: Calibration
    rounded: bool = False


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
    graph, rules, held_out = float_model.graph, METHODS[method], held_out_indices(len(samples))
    bits = starting_bits(activation_bits)
    whole, trial_basis, expected = _calibrate(float_model, samples, held_out, bits)
    if trial_basis is None:
        return Selection(whole.quantise(graph, bits, rules[0], rounded=rounded), bits=bits)
    judging = whole.basis.take(held_out)
    finals = cache(partial(whole.quantise, graph, rounded=rounded))
    trying = _Trying(trial_basis, graph, judging, expected, rules[0], rounded, finals, require_provable)
    first = trying.attempt(bits)
    if activation_bits == AUTO:
        first = fewest_bits(first, trying.usable_attempt)
        if MARGIN in rules:
            first = trying.with_margin(first)
    # Later rules are tried only where the first one's error matters.
    rules = tuple(rule for rule in rules if rule != first.model.quantised.range_rule)
    others = (trial_basis.quantise(graph, first.bits, rule, rounded=rounded) for rule in rules)
    trial = _best(float_model, chain([first.model], others), judging, expected)
    final = finals(first.bits, trial.quantised.range_rule)
    return Selection(final, trial, judging, bits=first.bits)


@dataclass(frozen=True)
class _Trying:
    """Trials of one rule with several widths of activations.

    ``finals`` gives the model of all samples, of so many bits and a rule.
    """

    calibration: Calibration
    graph: FloatGraph
    judging: Marked
    expected: Mapping[str, FloatArray]
    rule: str
    rounded: bool
    finals: Callable[[int, str], Calibrated]
    require_provable: Callable[[IntegerModel], object]

    def attempt(self, bits: int) -> Widening[Calibrated]:
        """The trial with so many bits. Raises QuantisationError as `quantise` does."""
        model = self.calibration.quantise(self.graph, bits, self.rule, rounded=self.rounded)
        return Widening(bits, model, _OutputErrors.of(model.quantised, self.judging, self.expected).relative)

    def usable_attempt(self, bits: int) -> Widening[Calibrated] | None:
        """The same; None where no keys could be made for such a model of all samples."""
        with suppress(QuantisationError, ModelError, FormatError, SecurityError):
            self.require_provable(self.finals(bits, self.rule).quantised.model)
            return self.attempt(bits)
        return None

    def with_margin(self, first: Widening[Calibrated]) -> Widening[Calibrated]:
        """The same as ``first``, or with many bits and a margin, where that is closer.

        Where values are clamped that calibration did not see, finer steps alone bring little. A margin costs
        hardly any precision then.
        """
        if first.error <= INEXACT:
            return first
        wider = replace(self, rule=MARGIN).usable_attempt(TRIED[-1])
        return wider if wider is not None and wider.error <= HELPFUL * first.error else first


def held_out_indices(count: int) -> IntArray:
    """Which of so many samples are held out: evenly spread, the same ones every time."""
    if count < FEWEST:
        return np.zeros(0, dtype=np.int64)
    step = max(HELD_OUT, -(-count // MOST_HELD_OUT))
    return np.arange(step - 1, count, step)


def _calibrate(
    float_model: FloatModel, samples: Samples, held_out: IntArray, activation_bits: int
) -> tuple[Calibration, Calibration | None, Mapping[str, FloatArray]]:
    """One float run: calibrations on all samples, and on those not held out (None where none is).

    Then the outputs of those that are, [n, *shape] by name.
    """
    outputs, channels = float_model.graph.outputs, Channels(float_model.graph)
    whole, trial_basis, apart = Calibrator(), Calibrator(), frozenset(held_out.tolist())
    expected: dict[str, list[FloatArray]] = {name: [] for name in outputs}
    sizes: dict[str, list[FloatArray]] = {name: [] for name in outputs}
    for index, values in enumerate(float_model.run(samples)):
        whole.add(values)
        if index not in apart:
            trial_basis.add(values)
        for name, tensor in outputs.items():
            sizes[name].append(np.abs(channels.split(tensor, values[tensor])).max(axis=1))
            if index in apart:
                expected[name].append(values[tensor])
    masks = [Marked.by_inputs(samples).ordinary, *(ordinary(np.stack(rows)) for rows in sizes.values())]
    basis = Marked(samples, np.all(masks, axis=0))
    of_all = Calibration.of(float_model, basis, activation_bits, whole.statistics())
    if not apart:
        return of_all, None, {}
    others = np.setdiff1d(np.arange(len(samples)), held_out)
    of_trial = Calibration.of(float_model, basis.take(others), activation_bits, trial_basis.statistics())
    return of_all, of_trial, {name: np.stack(arrays) for name, arrays in expected.items()}


def _best(
    float_model: FloatModel,
    trials: Iterator[Calibrated],
    judging: Marked,
    expected: Mapping[str, FloatArray],
) -> Calibrated:
    """The first one, or the one with the smallest error of those that are clearly better."""
    first = next(trials)
    base = _OutputErrors.of(first.quantised, judging, expected)
    if base.relative < SMALL:
        return first
    better = []
    for trial in trials:
        errors = _OutputErrors.of(trial.quantised, judging, expected)
        if trial.quantised.range_rule == MARGIN:
            # It clamps less: what it gains are the rare values, on one sample perhaps.
            clear = errors.clearly_below_in_all(base)
        else:
            clear = errors.clearly_below(base, judging.ordinary)
        if clear:
            better.append((float(errors.squares.sum()), trial))
    for _, trial in sorted(better, key=lambda pair: pair[0]):
        # Only a rule that clamps more can be worse where others were calibrated.
        if trial.quantised.range_rule == MARGIN or _nowhere_worse(float_model, trial, first):
            return trial
    return first


def _nowhere_worse(float_model: FloatModel, trial: Calibrated, first: Calibrated) -> bool:
    """Whether a trial is no worse on samples that calibrated it: they have the rare values that it clamps."""
    basis = first.calibration.basis
    seen = basis.take(np.arange(min(MOST_HELD_OUT, len(basis.samples))))
    runs = list(float_model.run(seen.samples))
    outputs = float_model.graph.outputs
    expected = {name: np.stack([values[tensor] for values in runs]) for name, tensor in outputs.items()}
    errors, base = (_OutputErrors.of(model.quantised, seen, expected) for model in (trial, first))
    return errors.nowhere_above(base)


@dataclass(frozen=True)
class _OutputErrors:
    """``squares``: the squared error of each output and sample over the squared spread [outputs, n].

    ``largest``: the largest error of an output's values over its spread [outputs].
    """

    squares: FloatArray
    largest: FloatArray

    @classmethod
    def of(
        cls,
        quantised: QuantisedModel,
        judging: Marked,
        expected: Mapping[str, FloatArray],
    ) -> "_OutputErrors":
        """Runs the integer model on samples; ``expected`` has the float model's outputs [n, *shape]."""
        integers = quantise_inputs(quantised.model, judging.samples.inputs, clamp=True)
        results = real_outputs(quantised.model, IntegerRunner(quantised.model).outputs(integers))
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

    def clearly_below(self, base: "_OutputErrors", ordinary: Mask) -> bool:
        """Less on either half of the ordinary samples, and for no output more on all of them."""
        halves = np.flatnonzero(ordinary)[::2], np.flatnonzero(ordinary)[1::2]
        clear = all(
            self.squares[:, half].sum() < CLEAR * base.squares[:, half].sum() for half in halves if len(half)
        )
        return clear and self.nowhere_above(base)

    def clearly_below_in_all(self, base: "_OutputErrors") -> bool:
        """Half on all samples together, and for no output more."""
        return bool(self.squares.sum() < HALVED * base.squares.sum()) and self.nowhere_above(base)

    def nowhere_above(self, base: "_OutputErrors") -> bool:
        """For no output more on all samples, nor much larger at any value."""
        no_more = self.squares.sum(axis=1) <= base.squares.sum(axis=1)
        bounded = self.largest <= LARGEST_GROWTH * base.largest
        return bool(no_more.all() and bounded.all())
