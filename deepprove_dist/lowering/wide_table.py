"""A function of many integers that is constant outside of a short window, by two short tables.

A table on [first, first + size) has a committed count and a leaf for each entry, however few values are
looked up. Clamps of accumulators have up to a million, since no accumulator may be without a proof. Let T be
constant below and above the window [a, a + 2^w). Then

    q = a + 2^w (h - h0) + l,   0 <= l < 2^w,   T(q) = T'(l + 2^w s(h)),

where block h0 is the window, and s(h) is its side: 0 for h = h0, 1 above and 2 below. T' has the window's
values, then 2^w times the one above, then 2^w times the one below. So q fixes h and l as a number fixes its
digits, h fixes s, and both fix T(q). A value costs two more committed integers, and two more lookups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from deepprove_dist import canonical
from deepprove_dist.arrays import Shape
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Builder, Limb, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.protocol.system.system import Affine, Constant, axis_bits
from deepprove_dist.protocol.system.table import Table

LEAST_SAVING = 1 << 16
"""Committed integers and leaves together: fewer are not worth what a verifier does for two more lookups."""

ABOVE, BELOW = 1, 2


@dataclass(frozen=True)
class WindowedTable:
    """Where a table is not constant: its first entry, and the logarithm of its length."""

    table: Table
    first: int
    bits: int

    @classmethod
    def of(cls, table: Table) -> WindowedTable | None:
        """The shortest one. None for a constant, and where nothing is outside of the window."""
        pieces, start, end = table.pieces.rows(), 0, table.size
        (_, _, slope), (last, _, last_slope) = pieces[0], pieces[-1]
        if len(pieces) == 1 and slope == 0:
            return None
        if slope == 0:
            start, _, _ = pieces[1]
        if last_slope == 0:
            end = last
        bits = max(1, (end - start - 1).bit_length())
        window = cls(table, table.first + start, bits)
        return window if window.blocks > 1 else None

    @cached_property
    def before(self) -> int:
        """h0: the blocks below the window."""
        return -((self.table.first - self.first) >> self.bits)

    @cached_property
    def blocks(self) -> int:
        """All blocks that the table's entries are in."""
        last = self.table.first + self.table.size - 1
        return self.before + ((last - self.first) >> self.bits) + 1

    @property
    def lowest(self) -> int:
        """The first integer of block 0."""
        return self.first - (self.before << self.bits)

    @cached_property
    def sides(self) -> Table:
        """s: of a block, whether it is the window, above or below."""
        values = np.full(self.blocks, ABOVE, dtype=np.int64)
        values[: self.before], values[self.before] = BELOW, 0
        return Table.from_values(0, values)

    @cached_property
    def values(self) -> Table:
        """T': the window's values, and those of both sides."""
        whole, length = self.table.values(), 1 << self.bits
        start = self.first - self.table.first
        inside = whole[start : start + length]
        # Beyond the table's end there is no value to prove.
        inside = np.concatenate([inside, np.full(length - inside.size, whole[-1])])
        return Table.from_values(0, np.concatenate([inside, np.repeat([whole[-1], whole[0]], length)]))

    def pays(self, axes: Shape, lookups: int, shift: int) -> bool:
        """Whether it is worth it for so many lookups in all, of quotients by 2^shift.

        `axes` are those of one of the tensors. The blocks need one value each modulo p.
        """
        if self.blocks << (self.bits + shift) > MODULUS:
            return False
        # The lookup of an expression has a leaf for each index of its padded axes.
        leaves = lookups * prod(1 << axis_bits(size) for size in axes) // prod(axes)
        tables = 2 * (3 << self.bits) + (1 << self.bits) + 2 * self.blocks
        return 2 * self.table.size - tables - 3 * lookups - leaves >= LEAST_SAVING


@dataclass(frozen=True)
class Split:
    """``quotient``: an integer q, by its block and its index in that. ``argument``: l + 2^w s."""

    quotient: Affine
    argument: Affine


def split(window: WindowedTable, name: str, value: Expression, source: Source, builder: Builder) -> Split:
    """Commits h, l and s of the integers of `source`, which have the index space of `value`.

    Their sum has yet to be required. T'(argument) has yet to be looked up.
    """
    limb = Limb(window.first, 0, window.bits)
    low = builder.witness(f"{name}.low", value, replace(source, limb=limb))
    builder.look_up(0, 1 << window.bits, None, low.value)
    limb, sides = Limb(window.lowest, window.bits, MODULUS.bit_length()), window.sides
    block = builder.witness(f"{name}.block", value, replace(source, limb=limb))
    side = builder.witness(f"{name}.side", value, replace(source, limb=limb, function=sides))
    builder.look_up(sides.first, sides.size, sides, block.value, side.value)
    total = added(scaled(block.value, 1 << window.bits), low.value)
    constants = (Constant(window.lowest),) if window.lowest else ()
    argument = added(low.value, scaled(side.value, 1 << window.bits))
    return Split(canonical.replace(total, constants=constants), argument)
