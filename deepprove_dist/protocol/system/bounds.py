"""Bounds of a system that follow from hidden weights, rounded outwards so that they tell little of these.

A key that hides its weights has a system that everybody reads. The range of a relation, and that of an output
that no table bounds, follow from the weights: they are sums of absolute values. Rounded, they tell little
more than the bits of the largest sum.

Each range may only grow: what the prover's values are in stays true. What has to hold of a larger one is that
nothing wraps modulo p. Let the witness's side of a relation be in [a, b], by proven ranges. Then `check`
demands b - low < p and high - a < p. So low goes no lower than b - p + 1, and high no higher than a + p - 1.
These ends say nothing of the weights: the proven ranges are public. Relations without weights state what
their tensors imply, and `check` compares it; they stay as they are. So do uniqueness and determinism, which
rest on proven ranges alone. Only those of outputs grow here, and `check` has to hold of the result.

Limbs of an accumulator follow from its interval, and values of the witness from them. So the interval is
widened when a model is lowered. Tables of functions are made larger when it is quantised.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.canonical import replace
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.protocol.system.check import proven_ranges
from deepprove_dist.protocol.system.maxima import Maxima
from deepprove_dist.protocol.system.ranges import affine_range, folded_range
from deepprove_dist.protocol.system.system import Affine, Matrix, PublicTensor, Relation, System
from deepprove_dist.protocol.system.table import Interval

STEPS = 4
"""Rounded values in an octave: 1, 1.25, 1.5 and 1.75 times a power of two."""


def round_outwards(value: int) -> int:
    """The nearest integer, not nearer to zero, that is 1, 1.25, 1.5 or 1.75 times a power of two; 0 stays 0.

    All integers below 8 in size are of this form.
    """
    unit = _unit(value)
    return -(-value // unit) * unit if value >= 0 else value // unit * unit


def round_inwards(value: int) -> int:
    """The nearest integer of this form that is not further from zero."""
    unit = _unit(value)
    return value // unit * unit if value >= 0 else -(-value // unit) * unit


def rounded_interval(low: int, high: int) -> Interval:
    """The smallest interval of rounded ends that has all of this one."""
    return (
        round_outwards(low) if low < 0 else round_inwards(low),
        round_outwards(high) if high > 0 else round_inwards(high),
    )


def widened(low: int, high: int) -> Interval:
    """The rounded interval, as far as it is in the field: of fewer than p integers, unless this one has p."""
    first, last = rounded_interval(low, high)
    first, last = max(first, -LARGEST_SIGNED), min(last, LARGEST_SIGNED)
    # A sum of limbs, or a relation, may have p - 1 values and no more.
    if last - first == MODULUS - 1 and high < last:
        last -= 1
    elif last - first == MODULUS - 1 and first < low:
        first += 1
    return first, last


def _unit(value: int) -> int:
    """The distance of rounded integers of this size."""
    return 1 << max(0, abs(value).bit_length() - STEPS.bit_length())


def with_rounded_bounds(system: System) -> System:
    """The system with rounded ranges of relations with weights, and of outputs that no lookup bounds.

    `check` holds of the system, and has to be asked again of the result. It refuses an output near the ends
    of the field that other relations or lookups read as well.
    """
    looked_up = {column.stored for lookup in system.lookups for column in lookup.columns}
    # Indices have the range of their axis, which tells nothing.
    looked_up |= {system.outputs[item.output].tensor for item in system.arg_maxima}
    outputs = tuple(
        output
        # A hidden one is in the range that limbs or a lookup of it show.
        if output.tensor in looked_up or system.is_hidden(output)
        else _with_rounded_range(output)
        for output in system.outputs
    )
    rounded = replace(system, outputs=outputs)
    sides = _witness_ranges(rounded)
    relations = tuple(
        _with_rounded_bounds(relation, side) if has_weights(system, relation) else relation
        for relation, side in zip(rounded.relations, sides, strict=True)
    )
    return replace(rounded, relations=relations)


def has_weights(system: System, relation: Relation) -> bool:
    """Whether a relation reads a tensor of the weights."""
    factors = [factor.value for product in relation.products for factor in (product.left, product.right)]
    tensors = (term.tensor for affine in (relation.affine, *factors) for term in affine.terms)
    return any(system.tensors[tensor].matrix is Matrix.WEIGHTS for tensor in tensors)


def _with_rounded_range(output: PublicTensor) -> PublicTensor:
    low, high = widened(output.lo, output.hi)
    return replace(output, lo=low, hi=high)


def _with_rounded_bounds(relation: Relation, side: Interval) -> Relation:
    """`side` has the values of the witness's terms."""
    low, high = rounded_interval(relation.low, relation.high)
    low, high = max(low, side[1] - MODULUS + 1), min(high, side[0] + MODULUS - 1)
    # Outputs have grown: where nothing is left to grow for this relation, `check` says so.
    return replace(relation, low=min(low, relation.low), high=max(high, relation.high))


def _witness_ranges(system: System) -> Sequence[Interval]:
    """Bounds of the witness's terms of all relations, as `check` computes them."""
    ranges = proven_ranges(system)

    def range_of(affine: Affine) -> Interval:
        return folded_range(system, affine, ranges, maxima)

    maxima = Maxima(range_of)
    for lookup in system.lookups:
        for column in lookup.columns:
            # Not for its value: maxima count the steps that they take.
            if column.stored is None:
                affine_range(system, column, ranges, maxima)
        maxima.add(lookup, system.tables[lookup.table])
    return [affine_range(system, relation.affine, ranges, maxima) for relation in system.relations]
