"""Units in which a tensor that is rescaled alone has a whole multiplier.

A product of two tensors of 12 bits may have sums of 2^27 units. A multiplier m of it and a shift s have to
fit the field, so m is a small number, and m rounded may be off by percents: all results would be. So the unit
of the quotients becomes 2^s / m units of the source, with m rounded down: it grows by less than 1 / m.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from deepprove_dist.field import MODULUS
from deepprove_dist.operators.function_properties import homogeneous
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.steps import Accumulation

FINE = 2**8
"""Multipliers from here on are fine as they are: rounding moves them by less than a format's step."""


def with_whole_multiplier(activation: Activation, sum_: Accumulation) -> Activation:
    """The activation with its argument in such a unit, where that matters.

    Functions with f(c x) = c f(x) have their results in the same number of units as before.
    """
    (first, *others) = sum_.summands
    step = first.exact_unit
    if others or not step or sum_.is_exact(activation.unit):
        return activation
    shift = _largest_shift(activation.unit, sum_)
    multiplier = int(2**shift * step / activation.unit)
    if multiplier >= FINE:
        return activation
    if multiplier == 0:
        # The source fills the field: it is taken as it is, and one bit more is taken off.
        shift, multiplier = shift + 1, 1
    unit = 2**shift * step / multiplier
    if not homogeneous(activation.function):
        return replace(activation, unit=unit)
    scale = Scale.of(activation.format.unit * unit / activation.unit)
    return replace(activation, unit=unit, format=replace(activation.format, scale=scale))


def _largest_shift(unit: float, sum_: Accumulation) -> int:
    """The most bits by which an accumulator of whole multiples may be finer than quotients of this unit."""
    largest, entries = 0, ceil(sum_.largest_span() / unit) + 3
    for shift in range(MODULUS.bit_length()):
        if entries << shift <= MODULUS:
            largest = shift
    return largest
