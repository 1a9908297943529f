"""Whole values: truth values, counts, indices. Their format has the scale 1 and loses nothing.

A function that is whole everywhere, such as a comparison or a floor, has whole results of any tensor. Other
functions may have whole results of whole arguments: a sum of two counts is one.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np

from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.function_properties import whole
from deepprove_dist.operators.pointwise import Function, RealArray
from deepprove_dist.operators.quantised import NARROW
from deepprove_dist.operators.truth import equals
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval
from deepprove_dist.quantise.activations import Activation, arguments_of, results
from deepprove_dist.quantise.steps import Accumulation

MAX_ARGUMENTS = 2**18
"""Entries of a table of whole arguments."""
ARGUMENT_STEPS = 2**10
"""Into how many the calibrated arguments of a comparison, or a floor, are cut at least."""
MAX_STEPS = 2**16
"""The same of all arguments that may be reached, at most."""


def is_whole(format: Format) -> bool:
    """Whether the integers of a format are the values themselves."""
    return format.scale.is_single and format.unit == 1.0


def whole_sum(sum_: Accumulation) -> bool:
    """Whether a sum has whole values."""
    return _has_step(sum_, 1.0)


def exact_unit_of_sum(sum_: Accumulation, entries: int) -> float | None:
    """A unit in which no whole value of a sum is rounded; None where a table would have more entries."""
    lowest, highest = sum_.bounds()
    return 1.0 if whole_sum(sum_) and highest - lowest <= entries else None


def _has_step(sum_: Accumulation, step: float) -> bool:
    """Whether all values of a sum are multiples of a step."""
    steps = [summand.step for summand in sum_.summands]
    known = np.array([value for value in steps if value is not None])
    if len(known) < len(steps):
        return False
    return all((values / step == np.rint(values / step)).all() for values in (known, sum_.constant))


def whole_activation_of_sum(
    sum_: Accumulation, function: Function, arguments: RealArray | None, unit: float, *, public: bool
) -> Activation | None:
    """A function of a sum where it has whole results, else None.

    ``arguments`` are calibrated ones, which choose the unit; without them it is ``unit``.
    """
    lowest, highest = sum_.bounds()
    if whole_sum(sum_):
        unit = 1.0
    elif not whole(function):
        return None
    elif arguments is not None:
        unit = _unit(sum_, function, arguments)
    if (highest - lowest) / unit > MAX_ARGUMENTS:
        return None
    return _activation(function, unit, (floor(lowest / unit), ceil(highest / unit)), public=public)


def clamped_activation_of_sum(
    sum_: Accumulation, function: Function, arguments: RealArray
) -> Activation | None:
    """The same of a whole sum that might be larger than a narrow tensor, and is not on calibrated arguments.

    Values beyond its range are clamped, as those of any other format are. A scale that is no whole number
    would round indices and counts, and nothing would equal them.
    """
    lowest, highest = (floor(end) for end in sum_.bounds())
    if not whole_sum(sum_) or highest - lowest > MAX_ARGUMENTS:
        return None
    possible, seen = _range_of(function, np.arange(lowest, highest + 1.0)), _range_of(function, arguments)
    if possible is None or seen is None:
        return None
    (least, largest), (lo, hi) = possible, seen
    room = NARROW - 1 - (hi - lo)
    if room < 0:
        return None
    above = min(largest - hi, room)
    return Activation(function, 1.0, Format(Scale.of(1.0), lo - min(lo - least, room - above), hi + above))


def _range_of(function: Function, arguments: RealArray) -> Interval | None:
    """The smallest and the largest result, and 0; None where not all are whole numbers."""
    try:
        values = results(function, arguments)
    except QuantisationError:
        # Whoever makes the table refuses it, and names the node.
        return None
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return None
    return min(0, int(values.min())), max(0, int(values.max()))


def _unit(sum_: Accumulation, function: Function, arguments: RealArray) -> float:
    """The unit of a sum's quotients: that of its values, if they are all multiples of it."""
    lowest, highest = sum_.bounds()
    smallest = min((summand.step for summand in sum_.summands if summand.step), default=0.0)
    if smallest and (highest - lowest) / smallest <= MAX_ARGUMENTS and _has_step(sum_, smallest):
        return smallest
    # A number that the function looks for is one quotient, if the sum's values are not rounded again.
    exact = sum_.exact_unit() if equals(function) else None
    if exact is not None and (highest - lowest) / exact <= MAX_ARGUMENTS:
        return exact
    return max(float(np.ptp(arguments)) / ARGUMENT_STEPS, (highest - lowest) / MAX_STEPS) or 1.0


def whole_activation_of_tensor(source: Format, function: Function, *, public: bool) -> Activation | None:
    """A function of a tensor with one scale where it has whole results, else None."""
    if not (is_whole(source) or whole(function)):
        return None
    return _activation(function, source.unit, source.interval, public=public)


def _activation(function: Function, unit: float, quotients: Interval, *, public: bool) -> Activation | None:
    ends = _range_of(function, arguments_of(function, np.arange(quotients[0], quotients[1] + 1), unit))
    if ends is None:
        return None
    lo, hi = ends
    if max(-lo, hi) > LARGEST_SIGNED or (hi - lo >= NARROW and not public):
        return None
    return Activation(function, unit, Format(Scale.of(1.0), lo, hi))
