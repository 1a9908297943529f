"""Activation functions as tables of integers: T(q) = clamp(round(f(unit * q) / scale)).

Quotients q have a unit of their own. It is that of the result where f keeps it exact (identity, ReLU). Where
f is steep it is a finer one, where f is flat a coarser one.

A quotient at which f is not defined counts as the nearest one at which it is. Calibration saw no such value.
So this is as a range that ends there, beyond which values are clamped: a square root of -0.01 is that of 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.function_properties import SAMPLES, homogeneous
from deepprove_dist.operators.pointwise import IDENTITY, Function, RealArray, evaluate, uses, without_sign
from deepprove_dist.operators.truth import equals
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table
from deepprove_dist.quantise.format import reals

# Units of the quotients over that of the result, coarsest first.
RATIOS = tuple(2.0**power for power in range(4, -11, -1))
# How much larger the error of both roundings may be than that of the result's rounding alone.
ERROR_GROWTH = 1.2
# And how much more where calibration saw arguments: functions may be steep there. Most layers of one function
# have one unit still, and share a table.
STEEP_GROWTH = 2.0
# The same where it saves half of a large table, since each entry is committed.
LARGE_TABLE = 2**12
ERROR_GROWTH_OF_LARGE = 1.7
# At an output: the error of rounding the argument, over the spread of the results.
OUTPUT_ERROR = 2**-9
# How many steps the largest calibrated result has there.
OUTPUT_STEPS = 2**16 - 1
# What the table may grow to for that.
OUTPUT_ENTRIES = 2**16
# However little of its arguments calibration saw.
MOST_OUTPUT_ENTRIES = 2**22

# How far from a rounding's border two computations of one function may disagree.
SLACK = 1e-6


@dataclass(frozen=True)
class Activation:
    """A function, the unit of its argument's integers and the format of its result's.

    ``single``: results are rounded as ONNX does it, whose quotients are of single precision.
    """

    function: Function
    unit: float
    format: Format
    single: bool = False

    def table(self, domain: Interval) -> Table:
        """T on the integers of ``domain``, ends included.

        Raises QuantisationError where the function is defined at none of them.
        """
        first, last = domain
        return Table.from_values(first, self.apply(np.arange(first, last + 1)))

    def apply(self, quotients: IntArray) -> IntArray:
        """T(q) for each q, in ascending order. Raises QuantisationError where the function has no value."""
        real = self._reals(quotients)
        if self.single:
            real = real.astype(np.float32)
        values: IntArray = np.clip(np.rint(real), self.format.lo, self.format.hi).astype(np.int64)
        return values

    def undefined(self, domain: Interval) -> float | None:
        """An argument in the domain at which the function is not defined, None without one."""
        arguments = np.arange(domain[0], domain[1] + 1) * self.unit
        undefined = np.isnan(evaluate(self.function, arguments))
        return float(arguments[undefined][0]) if undefined.any() else None

    def _reals(self, quotients: IntArray) -> RealArray:
        """Results in units of the format before they are rounded. Raises as `results` does."""
        values = results(self.function, arguments_of(self.function, quotients, self.unit))
        # Calibration may have seen nearly zeros only. Infinity is clamped as any large result is.
        with np.errstate(over="ignore"):
            return values / self.format.unit

    def bends(self, lowest: float, highest: float) -> int:
        """How often the slope of its table changes on arguments in [lowest, highest]."""
        ends = floor(lowest / self.unit), ceil(highest / self.unit)
        return int(np.count_nonzero(np.diff(self.apply(np.arange(ends[0], ends[1] + 1)), 2)))

    def allows(self, table: Table) -> bool:
        """Whether a table has the values of this activation, however another CPU rounds the function."""
        real = self._reals(np.arange(table.first, table.first + table.size))
        clamped = np.clip(real, self.format.lo, self.format.hi)
        near = np.abs(table.values() - clamped) <= 0.5 + SLACK * np.maximum(1.0, np.abs(clamped))
        return bool(near.all())

    def normalised(self, lowest: float, highest: float) -> Activation:
        """The form in which activations with the same table on [lowest, highest] are mostly equal.

        Where T is a clamp there, and for functions with f(c x) = c f(x), T does not depend on the scale.
        """
        function = self.function
        if self.unit == self.format.unit:
            quotients = np.arange(floor(lowest / self.unit), ceil(highest / self.unit) + 1)
            clamped = np.clip(quotients, self.format.lo, self.format.hi)
            if np.array_equal(self.apply(quotients), clamped):
                function = IDENTITY
        if not homogeneous(function):
            return self
        format = Format(Scale.of(1.0), self.format.lo, self.format.hi)
        return Activation(function, self.unit / self.format.unit, format, self.single)


def choose_activation(
    function: Function,
    lowest: float,
    highest: float,
    format: Format,
    reach: float,
    growth: float | None = None,
    large: int = LARGE_TABLE,
    elements: RealArray | None = None,
) -> Activation:
    """The coarsest unit of quotients that costs little precision for arguments in [lowest, highest].

    ``reach``: the length of the interval of all arguments that the table has to cover. ``growth``: how much
    larger the error may be than that of rounding the result alone. Tables of more entries than ``large`` are
    made coarser than others. ``elements``: arguments that calibration saw; the function may be steep there.
    """
    if lowest == highest == 0:
        # Calibration says nothing about the arguments.
        lowest, highest = reals(format)
    everywhere = _Examined.of(function, format, np.linspace(min(lowest, 0.0), max(highest, 0.0), SAMPLES))
    seen = None
    for ratio in RATIOS:
        activation = Activation(function, ratio * format.unit, format)
        entries = reach / activation.unit
        allowed = growth or (ERROR_GROWTH if entries <= large else ERROR_GROWTH_OF_LARGE)
        if everywhere.growth(activation.unit) > allowed:
            continue
        if elements is None:
            break
        seen = seen or _Examined.of(function, format, elements)
        if seen.growth(activation.unit) <= STEEP_GROWTH * allowed:
            break
    return activation


def with_few_bends(activation: Activation, lowest: float, highest: float, most: int) -> Activation:
    """The activation with a unit so coarse that its table on [lowest, highest] bends rarely."""
    # A table of as few entries needs no look at its values.
    while (highest - lowest) / activation.unit > most and activation.bends(lowest, highest) > most:
        activation = replace(activation, unit=2 * activation.unit)
    return activation


@dataclass(frozen=True)
class _Examined:
    """A function at ascending arguments, where it is defined, and the error of rounding its results alone.

    ``exact``: its values in units of the ``format``.
    """

    function: Function
    format: Format
    arguments: RealArray
    exact: RealArray
    least: float

    @classmethod
    def of(cls, function: Function, format: Format, arguments: RealArray) -> _Examined:
        """At these arguments."""
        exact = evaluate(function, arguments) / format.unit
        arguments, exact = arguments[np.isfinite(exact)], exact[np.isfinite(exact)]
        order = np.argsort(arguments, kind="stable")
        least = _error(np.rint(exact), exact, format)
        return cls(function, format, arguments[order], exact[order], least)

    def growth(self, unit: float) -> float:
        """How much larger the error is where arguments are rounded to a unit too."""
        moved = results(self.function, np.rint(self.arguments / unit) * unit)
        both = _error(np.rint(moved / self.format.unit), self.exact, self.format)
        # Results that are exact alone stay exact.
        return both / self.least if self.least else 1.0 + both


def choose_output_activation(
    function: Function, arguments: RealArray, reach: float, exact: float | None = None
) -> Activation:
    """An activation whose results are an output.

    It is wide enough that none is clamped, and so fine that rounding its argument is lost in their spread.
    ``arguments``: some that calibration saw; ``reach`` as in `choose_activation`; ``exact``: a unit in which
    no argument is rounded.
    """
    results = evaluate(function, arguments)
    # Where the function is not defined, calibration saw no value.
    defined = np.isfinite(results)
    arguments, results = arguments[defined], results[defined]
    if not results.size:
        raise QuantisationError("an activation is not defined at any value that calibration saw")
    largest, spread = float(np.abs(results).max()), float(results.std())
    scale = largest / OUTPUT_STEPS if largest > 0 else 1.0
    # Where calibration saw little of what can be reached, the table would be too large.
    unit = exact or max((float(np.ptp(arguments)) or reach or 1.0) / 2**4, reach / MOST_OUTPUT_ENTRIES)
    while exact is None and reach / unit < OUTPUT_ENTRIES / 2:
        rounded = evaluate(function, np.rint(arguments / unit) * unit)
        if float(np.sqrt(np.mean(np.square(rounded - results)))) <= OUTPUT_ERROR * spread:
            break
        unit /= 2
    format = Format(Scale.of(unit if homogeneous(function) else scale), -LARGEST_SIGNED, LARGEST_SIGNED)
    return Activation(function, unit, format)


def arguments_of(function: Function, quotients: IntArray, unit: float) -> RealArray:
    """What quotients stand for. The nearest one to a number that the function looks for stands for that."""
    arguments = quotients * unit
    for number in equals(function):
        arguments = np.where(quotients == np.rint(number / unit), number, arguments)
    return arguments


def results(function: Function, arguments: RealArray) -> RealArray:
    """A function at ascending arguments, and at the nearest one where it is not defined.

    Raises QuantisationError where it is defined at none of them. The same for a type without negative numbers
    where some would be: onnxruntime has others in their place, so nothing is nearest.
    """
    values = evaluate(function, arguments)
    defined = np.flatnonzero(~np.isnan(values))
    if len(defined) == len(values):
        return values
    if uses(function, without_sign):
        raise QuantisationError(
            "its type has no negative numbers, and results below 0 are in range, which would wrap. Export it "
            "with a type that has them (int32)"
        )
    if not len(defined):
        raise QuantisationError(
            f"its function is not defined at {float(arguments[0]):g}, nor at any other argument that inputs "
            "in range may reach. Calibrate on other samples"
        )
    positions = np.arange(len(values))
    after = np.searchsorted(defined, positions).clip(max=len(defined) - 1)
    before = (after - 1).clip(min=0)
    is_before = np.abs(defined[before] - positions) < np.abs(defined[after] - positions)
    nearest: RealArray = values[defined[np.where(is_before, before, after)]]
    return nearest


def whole_activation(function: Function, interval: Interval) -> Activation:
    """A function with f(c x) = c f(x), of integers and to integers, whatever both stand for."""
    results = np.rint(evaluate(function, np.arange(interval[0], interval[1] + 1.0)))
    format = Format(Scale.of(1.0), min(0, int(results.min())), max(0, int(results.max())))
    return Activation(function, 1.0, format)


def keeps_format(function: Function, source: Format) -> Format | None:
    """The source's format, from 0 where nothing is negative, if all results are exact in it; else None."""
    values = evaluate(function, np.arange(source.lo, source.hi + 1) * source.unit) / source.unit
    exact = bool((np.abs(values - np.rint(values)) < 1e-6).all())
    if not exact or values.min() < source.lo - 0.5 or values.max() > source.hi + 0.5:
        return None
    return Format(source.scale, 0 if values.min() > -0.5 else source.lo, source.hi)


def non_negative(function: Function, lowest: float, highest: float) -> bool:
    """Whether the function has no negative value on a grid of [lowest, highest], where it is defined."""
    values = evaluate(function, np.linspace(lowest, highest, SAMPLES))
    return bool((values[~np.isnan(values)] >= 0).all())


def _error(rounded: RealArray, exact: RealArray, format: Format) -> float:
    """Root of the mean square, in units of the result."""
    clamped = np.clip(exact, format.lo, format.hi)
    return float(np.sqrt(np.mean(np.square(np.clip(rounded, format.lo, format.hi) - clamped))))
