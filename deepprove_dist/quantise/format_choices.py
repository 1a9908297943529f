"""What quantisation chooses for each tensor: formats and units, from calibration.

The steps of a quantised model follow from the float graph and these choices alone. `recorded.py` makes the
same choices from a finished model, so that `audit` can build it again.

A layer's target scale is that of its calibrated values. It is made coarser where the interval bound would
allow more quotients than a table may have. An output that is an accumulator gets a fine scale. With it,
rounding the layer's weights errs OUTPUT_PRECISION times less than calibrated values spread. Where the field
does not hold that, it is the finest that the field holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, floor, log2
from typing import Protocol

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.operators.formats import EXACT, HIDDEN, Form, Format, Reference
from deepprove_dist.operators.function_properties import homogeneous, limits
from deepprove_dist.operators.pointwise import IDENTITY, Function, evaluate
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import (
    LARGE_TABLE,
    Activation,
    choose_activation,
    choose_output_activation,
    keeps_format,
    non_negative,
    with_few_bends,
)
from deepprove_dist.quantise.by_channel import relative_scales
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.format import choose_divisor, choose_format, coarsened, reals
from deepprove_dist.quantise.ranges import RangeRule, RealRange
from deepprove_dist.quantise.steps import Accumulation
from deepprove_dist.quantise.table_sizes import TableSizes
from deepprove_dist.quantise.whole import (
    MAX_ARGUMENTS,
    clamped_activation_of_sum,
    exact_unit_of_sum,
    whole_activation_of_sum,
    whole_activation_of_tensor,
    whole_sum,
)
from deepprove_dist.quantise.whole_multiplier import with_whole_multiplier

OUTPUT_PRECISION = 2**10

# Where the model states the format: quotients are as fine as that asks for, and their tables as large.
MAX_FIXED_QUOTIENTS = 2**21
FIXED_ERROR_GROWTH = 1.01

# An average keeps its source's scale over a power of two, where it loses less range than this. Its multiplier
# is exact then with a small shift.
SNAP = 1.4

# A part of a concatenation takes the format of the whole where it reaches at least this far in it. So do
# results of a bounded function. Layers share a table then, and nothing is clamped.
ALIKE = 0.5

EXAMINED = 2**11
"""Values that calibration saw of an argument, at which roundings are compared."""


class FormatChoices(Protocol):
    """Chooses formats; ``target`` is the name that the integer tensor will have."""

    def input(self, name: str) -> Format:
        """The format of an input of the model."""

    def accumulator(self, target: str, sum_: Accumulation, form: Form) -> Format:
        """The format of an accumulator that is an output, or whose exact value an operator takes."""

    def activation(
        self, target: str, sum_: Accumulation, form: Form, reference: Reference, argument: Reference
    ) -> Activation:
        """The activation after an accumulator that holds the values of ``argument``."""

    def channel_scales(self, target: str, tensor: str, shape: Shape) -> FloatArray:
        """Scales of the channels of a float tensor, along its last axis, as in `by_channel`."""

    def divided(self, target: str, tensor: str, scales: FloatArray) -> FormatChoices:
        """The choices where a float tensor and the integer one are divided by such scales."""

    def table(self, target: str, source: QuantisedTensor, form: Form, reference: Reference) -> Activation:
        """The activation of a tensor that is quantised already."""

    def part(self, target: str, source: QuantisedTensor, reference: Reference) -> Activation:
        """The change of a part of a concatenation to the format of the whole, ``reference``."""


@dataclass(frozen=True)
class CalibratedChoices:
    """Choices from statistics of the float tensors; ``inputs`` are the inputs' formats.

    ``bits`` are those of every tensor that ``widths`` does not name.
    """

    statistics: Mapping[str, Statistics]
    inputs: Mapping[str, Format]
    rule: RangeRule
    bits: int
    sizes: TableSizes = field(default_factory=TableSizes)
    widths: Mapping[str, int] = field(default_factory=dict)

    def input(self, name: str) -> Format:
        """As given."""
        return self.inputs[name]

    def accumulator(self, target: str, sum_: Accumulation, form: Form) -> Format:
        """See the module."""
        if form == EXACT:
            return exact_format(sum_, _finest_unit(sum_))
        if whole_sum(sum_):
            return Format(Scale.of(1.0), -LARGEST_SIGNED, LARGEST_SIGNED)
        statistics = self.statistics[sum_.tensor]
        bound = max(*map(abs, sum_.bounds()), sum_.largest_span() / 2)
        room = LARGEST_SIGNED - sum_.rounding_bound() - 1
        if room <= 0:
            raise QuantisationError(f"'{sum_.name}' has too many inputs for sums to fit the field")
        spread = statistics.spread or max(-statistics.lowest, statistics.highest)
        error = max(sum_.rounding_error(self.statistics, None), 0.5)
        scale = max(spread / (error * OUTPUT_PRECISION), bound / room)
        return Format(Scale.of(scale if scale > 0 else 1.0), -LARGEST_SIGNED, LARGEST_SIGNED)

    def activation(
        self, target: str, sum_: Accumulation, form: Form, reference: Reference, argument: Reference
    ) -> Activation:
        """See the module; for an output as wide as `choose_output_activation` makes it."""
        lowest, highest = sum_.bounds()
        statistics, function = self._referred(argument), form.function
        if form.fixed is not None:
            return _in_fixed_format(form, self.rule(statistics, self.bits), sum_)
        exact = whole_activation_of_sum(sum_, function, statistics.elements, 1.0, public=form.public)
        if exact is not None:
            return exact
        if form.public:
            unit = exact_unit_of_sum(sum_, MAX_ARGUMENTS)
            public = choose_output_activation(function, statistics.elements, highest - lowest, unit)
            return with_whole_multiplier(public, sum_)
        clamped = clamped_activation_of_sum(sum_, function, statistics.elements)
        if clamped is not None:
            return clamped
        bits = self._bits(form, target, reference)
        format = self._format(reference, form, bits, lowest, highest)
        (first, *others) = sum_.summands
        if not others and first.keeps_unit and homogeneous(function):
            format = _snapped(format, first.source.format)
        arguments, reach = self.rule(statistics, bits), highest - lowest
        unit = exact_unit_of_sum(sum_, self.sizes.large)
        if unit is not None and not homogeneous(function):
            return with_whole_multiplier(Activation(function, unit, format), sum_)
        elements = statistics.elements[:: max(1, len(statistics.elements) // EXAMINED)]
        activation = choose_activation(
            function, *arguments, format, reach, large=self.sizes.large, elements=elements
        )
        coarser = max(1.0, reach / self.sizes.most / activation.unit)
        unit = coarser * activation.unit
        if homogeneous(function):
            return with_whole_multiplier(Activation(function, unit, coarsened(format, coarser)), sum_)
        straight = with_few_bends(Activation(function, unit, format), lowest, highest, self.sizes.bends)
        return with_whole_multiplier(straight, sum_)

    def channel_scales(self, target: str, tensor: str, shape: Shape) -> FloatArray:
        """By how far the channels reach."""
        return relative_scales(self.statistics[tensor].channels, shape[-1])

    def divided(self, target: str, tensor: str, scales: FloatArray) -> CalibratedChoices:
        """With the statistics of the divided tensor."""
        divided = self.statistics[tensor].divided(scales)
        return replace(self, statistics={**self.statistics, tensor: divided})

    def table(self, target: str, source: QuantisedTensor, form: Form, reference: Reference) -> Activation:
        """The source's format where that is exact."""
        function = form.function
        if form.fixed is not None:
            return Activation(function, source.format.unit, form.fixed, single=True)
        exact = whole_activation_of_tensor(source.format, function, public=form.public)
        if exact is not None:
            return exact
        if form.public:
            arguments = np.arange(source.format.lo, source.format.hi + 1) * source.format.unit
            seen, results = self._referred(reference), evaluate(function, arguments)
            usual = (results >= seen.lowest) & (results <= seen.highest)
            wide = choose_output_activation(
                function, arguments[usual] if usual.any() else arguments, 0.0
            ).format
            return Activation(function, source.format.unit, wide)
        format = keeps_format(function, source.format)
        if format is None:
            format = self._format(reference, form, self._bits(form), *reals(source.format))
        return Activation(function, source.format.unit, format)

    def part(self, target: str, source: QuantisedTensor, reference: Reference) -> Activation:
        """The same format for all parts."""
        return Activation(IDENTITY, source.format.unit, self._format(reference, HIDDEN, self.bits, 0.0, 0.0))

    def _bits(self, form: Form, target: str = "", reference: Reference | None = None) -> int:
        """What a form asks for at least; parts of one tensor have the same."""
        joined = reference is not None and reference.joined
        return max(self.bits if joined else self.widths.get(target, self.bits), form.bits)

    def _format(self, reference: Reference, form: Form, bits: int, lowest: float, highest: float) -> Format:
        """The format of a form's function of arguments in [lowest, highest]."""
        function = form.function
        if form.divides:
            return choose_divisor(reference.tensor, self._referred(reference), bits)
        range_ = self.rule(self._referred(reference), bits)
        if reference.joined:
            whole = self.rule(self._referred(Reference(reference.joined, reference.function)), bits)
            if not reference.separable or np.ptp(range_) >= ALIKE * np.ptp(whole):
                range_ = whole
        range_ = _bounded(function, range_)
        if range_ == (0.0, 0.0):
            # Calibration saw zeros only: what the layer may reach is all that is known.
            results = evaluate(function, np.linspace(lowest, highest, 2**8))
            defined = results[np.isfinite(results)]
            range_ = float(defined.min(initial=0.0)), float(defined.max(initial=0.0))
        positive = range_[0] >= 0 and non_negative(function, lowest, highest)
        return choose_format(*range_, bits, positive)

    def _referred(self, reference: Reference) -> Statistics:
        statistics = self.statistics[reference.tensor]
        if reference.function == IDENTITY:
            return statistics
        elements = np.asarray(evaluate(reference.function, statistics.elements), dtype=np.float64)
        extremes = evaluate(reference.function, np.array([statistics.lowest, statistics.highest]))
        values = np.concatenate([elements, extremes])
        return replace(statistics, lowest=float(values.min()), highest=float(values.max()), elements=elements)


def exact_format(sum_: Accumulation, unit: float) -> Format:
    """The format of a sum in a unit that its exact value is taken in, with the range that it has."""
    lowest, highest = sum_.bounds()
    slack = sum_.rounding_bound()
    # Factors that are not negative stay so when they are rounded.
    parts = [summand.bounds()[0] for summand in sum_.summands]
    positive = min(parts) >= 0 and float(sum_.constant.min()) >= 0
    least = 0 if positive else floor(lowest / unit - slack)
    return Format(Scale.of(unit), least, ceil(highest / unit + slack))


def _finest_unit(sum_: Accumulation) -> float:
    """The finest unit that the field holds; a whole part of one in which nothing is rounded comes first."""
    room = LARGEST_SIGNED - sum_.rounding_bound() - 2
    if room <= 0:
        raise QuantisationError(f"'{sum_.name}' has too many inputs for sums to fit the field")
    lowest, highest = sum_.bounds()
    exact = sum_.exact_unit()
    # One of both signs may be rescaled, and its whole range counts then. One of zeros has multiples of 0.
    finest = (max(sum_.largest_span(), highest, -lowest) or exact or 1.0) / room
    return exact / floor(exact / finest) if exact is not None and exact >= finest else finest


def _in_fixed_format(form: Form, arguments: RealRange, sum_: Accumulation) -> Activation:
    """The activation whose results have the format that the model states."""
    assert form.fixed is not None, "the form has a format"
    lowest, highest = sum_.bounds()
    unit = sum_.exact_unit()
    if unit is not None and (highest - lowest) / unit <= LARGE_TABLE + sum_.elements:
        # A table of the sum itself rounds once, and halves to even numbers, as the model means it.
        return Activation(form.function, unit, form.fixed, single=True)
    activation = choose_activation(
        form.function, *arguments, form.fixed, highest - lowest, growth=FIXED_ERROR_GROWTH
    )
    if (highest - lowest) / activation.unit > MAX_FIXED_QUOTIENTS:
        raise QuantisationError(
            f"'{sum_.name}': the stated format has steps of which its sums may reach "
            f"{(highest - lowest) / activation.unit:.0f}; tables have {MAX_FIXED_QUOTIENTS} entries at most"
        )
    return activation


def _bounded(function: Function, range_: RealRange) -> RealRange:
    """The whole range of a function that has bounds, where the range reaches far in it.

    What only clips its argument shares a table with any range.
    """
    whole_range = limits(function)
    if whole_range is None or np.ptp(range_) < ALIKE * np.ptp(whole_range):
        return range_
    middle = np.array([max(whole_range, key=abs) / 2])
    return range_ if np.allclose(evaluate(function, middle), middle) else whole_range


def _snapped(format: Format, source: Format) -> Format:
    """The format with the source's scale over a power of two, if that is little more than its own."""
    # Equal scales may differ in their last bits.
    halvings = floor(log2(source.unit / format.unit) + 1e-9)
    scale = source.unit / 2**halvings
    if halvings >= 0 and scale <= SNAP * format.unit:
        return replace(format, scale=Scale.of(scale))
    return format
