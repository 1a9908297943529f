"""The leaves of the one fraction tree of all lookups and tables, and the two claims that it ends in.

A lookup of (c_1, c_2) in table number t has the fingerprint t + alpha c_1 + alpha^2 c_2, absent columns
being zero; its leaf is 1 / (beta - fingerprint), a table row's leaf -m / (beta - fingerprint), padding 0/1
(logup-GKR: Papini, Haboeck, eprint 2023/1284). Leaf boxes are the boxes of the tensors, largest first.

At the tree's final point rho, with e_B = eq(high coordinates of rho, place of box B),

    numerator   = sum_lookups e_B - sum_tables e_B m(rho_low),
    denominator = sum_B e_B (beta - fingerprint_B(rho_low)) + 1 - sum_B e_B,

both affine in committed columns: two linear claims, however many lookups there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import Extension, ExtensionVector, table_evaluate
from deepprove_dist.protocol.claims import ONE, BoxwiseTerm, ClaimList
from deepprove_dist.protocol.layout import MAX_BOXES, Box, Layout
from deepprove_dist.protocol.relations.system import LookupTable, System

MIN_LEVELS = 6
"""Fewer leaves than this would not fill two registers of any vector unit."""


@dataclass(frozen=True)
class LeafRow:
    """One lookup or table: the boxes of its tensors, and the first leaf of each."""

    table: int
    columns: tuple[int, ...]
    boxes: tuple[Box, ...]
    leaves: tuple[int, ...]
    is_table: bool


@dataclass(frozen=True)
class LeafLayout:
    """Where the fractions of all lookups, then all tables, stand among 2^levels leaves."""

    levels: int
    rows: tuple[LeafRow, ...]

    @cached_property
    def fractions(self) -> int:
        """Leaves that are no padding."""
        return sum(1 << box.log_size for row in self.rows for box in row.boxes)


@dataclass(frozen=True)
class Challenges:
    """beta, and alpha with its square."""

    alpha: Extension
    beta: Extension

    @property
    def powers(self) -> tuple[Extension, Extension]:
        """The weights of the first and the second column."""
        return self.alpha, self.alpha * self.alpha


def lay_out_leaves(system: System, layout: Layout) -> LeafLayout:
    """The leaf layout, a function of shapes alone. Raises FormatError for too many boxes."""
    owners = [(lookup.table, lookup.columns, lookup.columns[0], False) for lookup in system.lookups]
    owners += [
        (index, (table.multiplicity,), table.multiplicity, True) for index, table in enumerate(system.tables)
    ]
    boxes = [layout.boxes[tensor] for _, _, tensor, _ in owners]
    if sum(map(len, boxes)) > MAX_BOXES:
        raise FormatError(f"the model's lookups split into more than {MAX_BOXES} boxes")
    order = sorted(
        ((box.log_size, row, place) for row, own in enumerate(boxes) for place, box in enumerate(own)),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    starts: list[list[int]] = [[0] * len(own) for own in boxes]
    leaf = 0
    for log, row, place in order:
        starts[row][place] = leaf
        leaf += 1 << log
    rows = tuple(
        LeafRow(table, columns, own, tuple(start), is_table)
        for (table, columns, _, is_table), own, start in zip(owners, boxes, starts, strict=True)
    )
    return LeafLayout(max(MIN_LEVELS, (leaf - 1).bit_length()), rows)


def claim_leaves(
    system: System,
    leaves: LeafLayout,
    challenges: Challenges,
    point: ExtensionVector,
    numerator: Extension,
    denominator: Extension,
    claims: ClaimList,
) -> None:
    """Adds the two claims about the leaves at `point`; what is public moves to the claimed values."""
    covered, lookups, constant = Extension(0), Extension(0), Extension(0)
    numerator_terms, denominator_terms = [], []
    for row in leaves.rows:
        factors, weight = _box_weights(row, point)
        covered += weight
        constant += weight * (challenges.beta - row.table)
        if row.is_table:
            numerator_terms.append(BoxwiseTerm(-ONE, row.columns[0], factors, point))
            constant -= _table_part(system.tables[row.table], row, factors, challenges, point)
        else:
            lookups += weight
            for power, column in zip(challenges.powers, row.columns, strict=False):
                denominator_terms.append(BoxwiseTerm(-power, column, factors, point))
    claims.add(numerator - lookups, *numerator_terms)
    claims.add(denominator - constant - (ONE - covered), *denominator_terms)


def _box_weights(row: LeafRow, point: ExtensionVector) -> tuple[ExtensionVector, Extension]:
    """e_B of each box, and their sum."""
    total, factors = Extension(0), []
    for box, leaf in zip(row.boxes, row.leaves, strict=True):
        high = point[: len(point) - box.log_size]
        # eq(high, k) is a difference of prefix sums, each in closed form.
        place = leaf >> box.log_size
        factor = high.eq_prefix_sum(place + 1) - high.eq_prefix_sum(place)
        factors.append(factor)
        total += factor
    return ExtensionVector(factors), total


def _table_part(
    table: LookupTable,
    row: LeafRow,
    factors: ExtensionVector,
    challenges: Challenges,
    point: ExtensionVector,
) -> Extension:
    """sum_B e_B (alpha q + alpha^2 T(q)) at the low coordinates, in closed form."""
    arguments, function = table_pieces(table)
    first, second = challenges.powers
    total = Extension(0)
    for index, box in enumerate(row.boxes):
        low, start = point[len(point) - box.log_size :], box.intervals[0][0]
        value = first * table_evaluate(arguments, start, low)
        if function is not None:
            value += second * table_evaluate(function, start, low)
        total += factors[index] * value
    return total


def table_pieces(table: LookupTable) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64] | None]:
    """The table's columns as linear pieces (start, value, slope)."""
    arguments = np.array([(0, table.first, 1)], dtype=np.int64)
    if table.function is None:
        return arguments, None
    pieces = [(piece.start, piece.value, piece.slope) for piece in table.function.pieces]
    return arguments, np.array(pieces, dtype=np.int64)


def table_columns(table: LookupTable) -> list[npt.NDArray[np.int64]]:
    """The table's columns, value by value."""
    arguments = np.arange(table.first, table.first + table.size, dtype=np.int64)
    return [arguments] if table.function is None else [arguments, table.function.values()]
