"""Products of hidden values in plain Python: the table of the book's fifth piece, and its small sumcheck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.kernels import Extension
from tests.attacks.arithmetic import ZERO, Values, dot, eq, fold
from tests.attacks.channel import Channel
from tests.attacks.tracked import Tracked

NOTHING = Tracked(ZERO), Tracked(ZERO)


@dataclass(frozen=True)
class Row:
    """d (A B + A' B')."""

    d: Extension
    first: tuple[Tracked, Tracked]
    second: tuple[Tracked, Tracked] = NOTHING

    @property
    def factors(self) -> tuple[Tracked, Tracked, Tracked, Tracked]:
        """A, B, A', B'."""
        return (*self.first, *self.second)


@dataclass(frozen=True)
class Constraint:
    """All rows add up to `total`, if nobody lied."""

    rows: list[Row]
    total: Tracked


def small_sumcheck(channel: Channel, constraints: Sequence[Constraint]) -> tuple[int, list[Tracked]]:
    """The number of rounds, and five values that are zero without their pads: four finals, one claim."""
    u = channel.draw("products/point")
    rows = [row for constraint in constraints for row in constraint.rows]
    scales = [u**j * row.d for j, constraint in enumerate(constraints) for row in constraint.rows]
    claim = sum((u**j * constraint.total for j, constraint in enumerate(constraints)), Tracked(ZERO))
    count, free = len(rows).bit_length(), len(channel.pads) - 4
    columns = [[channel.true(factor) for factor in row.factors] for row in rows]
    columns += [channel.pads[free:], *([[ZERO] * 4] * ((1 << count) - len(rows) - 1))]
    weights = [*scales, *([ZERO] * ((1 << count) - len(rows)))]
    tables = [weights, *([column[index] for column in columns] for index in range(4))]
    point: Values = []
    for _ in range(count):
        received = channel.send_padded("sumcheck/round", _round(tables))
        r = channel.draw("sumcheck/challenge")
        c0, c2, c3 = received
        claim = r * claim + (1 - 2 * r) * c0 + (r * r - r) * c2 + (r * r * r - r) * c3
        tables = [fold(table, r) for table in tables]
        point.append(r)
    finals = channel.send("products/finals", [table[0] for table in tables[1:]])
    corners = eq(point)
    zeros = []
    for index, final in enumerate(finals):
        known = sum((e * row.factors[index] for e, row in zip(corners, rows, strict=False)), Tracked(ZERO))
        # The pad of row K is no part of what was sent. It has to be added. A pad part is taken off.
        zeros.append(known + Tracked(ZERO, {free + index: -corners[len(rows)]}) - final)
    a, b, other_a, other_b = finals
    return count, [*zeros, claim - dot(weights, corners) * (a * b + other_a * other_b)]


def _round(tables: list[Values]) -> Values:
    """c_0, c_2, c_3 of the sum of u (A B + A' B')."""
    half = len(tables[0]) // 2
    totals = [ZERO] * 3
    for x in range(half):
        u, a, b, c, d = ((table[x], table[x + half] - table[x]) for table in tables)
        for left, right in ((a, b), (c, d)):
            totals[0] += u[0] * left[0] * right[0]
            totals[1] += u[0] * left[1] * right[1] + u[1] * (left[0] * right[1] + left[1] * right[0])
            totals[2] += u[1] * left[1] * right[1]
    return totals
