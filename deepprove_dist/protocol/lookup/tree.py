"""The leaves of the one fraction tree of all lookups and tables, and the two claims that it ends in.

A lookup of (c_1, c_2) in table number t has the fingerprint t + alpha c_1 + alpha^2 c_2. Absent columns are
zero. A lookup's leaf is 1 / (beta - fingerprint), a table row's -m / (beta - fingerprint), padding 0/1
(logup-GKR: Papini, Haboeck, eprint 2023/1284). Leaf blocks are the blocks of the tensors, largest first.

At the tree's final point rho, with e_B = eq(high coordinates of rho, index of block B),

    numerator   = sum_lookups e_B - sum_tables e_B m(rho_low),
    denominator = sum_B e_B (beta - fingerprint_B(rho_low)) + 1 - sum_B e_B,

both affine in committed columns: two linear claims, however many lookups there are. Columns that are
expressions (a difference of two views, say) have no blocks. Such a lookup has one leaf block, over the bits
of all its axes. Its e_B is multiplied by the sums of eq over its indices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import (
    ClaimTerms,
    Extension,
    ExtensionVector,
    LeafBlocks,
    LeafWeights,
    LinearPieces,
    SpaceWeights,
    Transcript,
)
from deepprove_dist.protocol.claims.claim import ONE, Claim
from deepprove_dist.protocol.claims.layout import MAX_BLOCKS, DyadicBlock, Layout
from deepprove_dist.protocol.claims.sent import SentValue
from deepprove_dist.protocol.relations.affine import affine_terms
from deepprove_dist.protocol.system.system import Affine, LookupTable, System, space_bits

MAX_COLUMNS = 2
"""Of a table, or a lookup."""
MIN_LEVELS = 6
"""Fewer leaves than this would not fill two registers of any vector unit."""


@dataclass(frozen=True)
class StoredRow:
    """A lookup of stored columns, or a table: a leaf block for each block of its tensors."""

    table: int
    columns: tuple[int, ...]
    blocks: tuple[DyadicBlock, ...]
    leaves: tuple[int, ...]
    is_table: bool

    @cached_property
    def leaf_blocks(self) -> tuple[tuple[int, int], ...]:
        """First leaf and log2 of the size of each leaf block."""
        return tuple((leaf, block.log_size) for leaf, block in zip(self.leaves, self.blocks, strict=True))

    @property
    def fractions(self) -> int:
        """Leaves that are no padding."""
        return sum(1 << log for _, log in self.leaf_blocks)


@dataclass(frozen=True)
class ExpressionRow:
    """A lookup of expressions: one leaf block over the hypercube of its axes, 0/1 outside the index space."""

    table: int
    columns: tuple[Affine, ...]
    leaf: int

    @property
    def space(self) -> Shape:
        """The index space."""
        return self.columns[0].space

    @cached_property
    def log_size(self) -> int:
        """log2 of the leaf block."""
        return space_bits(self.space)

    @cached_property
    def leaf_blocks(self) -> tuple[tuple[int, int], ...]:
        """First leaf and log2 of the size of the one leaf block."""
        return ((self.leaf, self.log_size),)

    @property
    def fractions(self) -> int:
        """Leaves that are no padding."""
        return prod(self.space)


LeafRow = StoredRow | ExpressionRow


@dataclass(frozen=True)
class LeafLayout:
    """Where the fractions of all lookups, then all tables, stand among 2^levels leaves."""

    levels: int
    rows: tuple[LeafRow, ...]

    @cached_property
    def fractions(self) -> int:
        """Leaves that are no padding."""
        return sum(row.fractions for row in self.rows)

    @cached_property
    def lookups(self) -> tuple[StoredRow, ...]:
        """The lookups of stored columns."""
        return tuple(row for row in self.rows if isinstance(row, StoredRow) and not row.is_table)

    @cached_property
    def tables(self) -> tuple[StoredRow, ...]:
        """The tables."""
        return tuple(row for row in self.rows if isinstance(row, StoredRow) and row.is_table)

    @cached_property
    def expressions(self) -> tuple[ExpressionRow, ...]:
        """The lookups of expressions."""
        return tuple(row for row in self.rows if isinstance(row, ExpressionRow))

    @cached_property
    def columns(self) -> tuple[list[int | None], ...]:
        """The first column of all lookups of stored columns, and the second one of those that have two."""
        pairs = [(*row.columns, None)[:MAX_COLUMNS] for row in self.lookups]
        return tuple([pair[k] for pair in pairs] for k in range(MAX_COLUMNS))

    @cached_property
    def blocks(self) -> LeafBlocks:
        """The leaf blocks of lookups of stored columns, then tables, then expressions, for the kernels."""
        rows: tuple[LeafRow, ...] = (*self.lookups, *self.tables, *self.expressions)
        return LeafBlocks([row.leaf_blocks for row in rows])

    @cached_property
    def numbers(self) -> ExtensionVector:
        """For each of these rows but expressions, the number of its table."""
        return ExtensionVector([row.table for row in (*self.lookups, *self.tables)])


def count_values(levels: int) -> int:
    """The scalars that a tree of 2^levels leaves sends: two a round, and four children a layer."""
    return levels * (levels + 3)


@dataclass(frozen=True)
class Challenges:
    """beta, and alpha with its square."""

    alpha: Extension
    beta: Extension

    @classmethod
    def draw(cls, transcript: Transcript) -> Challenges:
        """Both from the transcript, alpha first."""
        return cls(transcript.challenge("lookup/alpha"), transcript.challenge("lookup/beta"))

    @property
    def powers(self) -> tuple[Extension, Extension]:
        """The weights of the first and the second column."""
        return self.alpha, self.alpha * self.alpha


def lay_out_leaves(system: System, layout: Layout) -> LeafLayout:
    """The leaf layout, a function of shapes alone: blocks by size, then in the order of lookups and tables.

    Raises FormatError for too many blocks.
    """
    sizes: list[tuple[int, int, int]] = []
    for row, lookup in enumerate(system.lookups):
        stored = lookup.stored
        if stored is None:
            sizes.append((space_bits(lookup.columns[0].space), row, 0))
        else:
            sizes += [(block.log_size, row, index) for index, block in enumerate(layout.blocks[stored[0]])]
    for index, table in enumerate(system.tables):
        row = len(system.lookups) + index
        sizes += [
            (block.log_size, row, index) for index, block in enumerate(layout.blocks[table.multiplicity])
        ]
    if len(sizes) > MAX_BLOCKS:
        raise FormatError(f"the model's lookups split into more than {MAX_BLOCKS} blocks")
    leaf, leaves = 0, dict[tuple[int, int], int]()
    for log, row, index in sorted(sizes, key=lambda item: (-item[0], item[1], item[2])):
        leaves[row, index] = leaf
        leaf += 1 << log
    rows: list[LeafRow] = []
    for row, lookup in enumerate(system.lookups):
        stored = lookup.stored
        if stored is None:
            rows.append(ExpressionRow(lookup.table, lookup.columns, leaves[row, 0]))
        else:
            rows.append(_stored_row(layout, lookup.table, stored, leaves, row, is_table=False))
    for index, table in enumerate(system.tables):
        row, columns = len(system.lookups) + index, (table.multiplicity,)
        rows.append(_stored_row(layout, index, columns, leaves, row, is_table=True))
    return LeafLayout(max(MIN_LEVELS, (leaf - 1).bit_length()), tuple(rows))


@dataclass(frozen=True)
class LeafValues:
    """What a fraction tree ends in: the multilinear extensions of all numerators and all denominators.

    Attributes:
        point: one coordinate a level of the tree.
        numerator: the numerators' extension there.
        denominator: the denominators' extension there.
    """

    point: ExtensionVector
    numerator: SentValue
    denominator: SentValue


def claim_leaves(
    system: System, leaves: LeafLayout, challenges: Challenges, values: LeafValues
) -> list[Claim]:
    """The two claims about the leaves, numerator first; what is public moves to the claimed values."""
    weights, lookups = leaves.blocks.at(values.point), len(leaves.lookups)
    rows = weights.totals
    stored = rows[: len(leaves.numbers)]
    covered = stored.total()
    sums = _LeafSums(
        covered, stored[:lookups].total(), covered * challenges.beta - stored.dot(leaves.numbers)
    )
    multiplicities = weights.terms(-ONE, lookups, [row.columns[0] for row in leaves.tables])
    terms = [
        weights.terms(-power, 0, columns)
        for power, columns in zip(challenges.powers, leaves.columns, strict=True)
    ]
    for number, table in enumerate(leaves.tables, lookups):
        sums.constant -= _table_part(system.tables[table.table], table, challenges, weights, number)
    for number, row in enumerate(leaves.expressions, len(stored)):
        terms += _claim_expressions(system, row, challenges, rows[number], values.point, sums)
    numerator = values.numerator - SentValue(sums.lookups)
    denominator = values.denominator - SentValue(sums.constant + ONE - sums.covered)
    return [
        Claim.about(numerator, multiplicities),
        Claim.about(denominator, ClaimTerms.concatenated(terms)),
    ]


@dataclass
class _LeafSums:
    """Running sums over rows: weights of all leaves in rows, of lookups' leaves, and known denominators."""

    covered: Extension
    lookups: Extension
    constant: Extension


def _claim_expressions(
    system: System,
    row: ExpressionRow,
    challenges: Challenges,
    factor: Extension,
    point: ExtensionVector,
    sums: _LeafSums,
) -> list[ClaimTerms]:
    """The terms of a lookup of expressions, weighed by eq on each axis of its one leaf block.

    `factor` is e_B of this block.
    """
    weights = SpaceWeights.split(point[len(point) - row.log_size :], row.space)
    inside = factor * weights.total
    sums.covered += inside
    sums.lookups += inside
    sums.constant += inside * (challenges.beta - row.table)
    result = []
    for power, column in zip(challenges.powers, row.columns, strict=False):
        terms, known = affine_terms(system, column, weights, -power * factor)
        result.append(terms)
        sums.constant += known
    return result


def _stored_row(
    layout: Layout,
    table: int,
    columns: tuple[int, ...],
    leaves: dict[tuple[int, int], int],
    row: int,
    *,
    is_table: bool,
) -> StoredRow:
    blocks = layout.blocks[columns[0]]
    first_leaves = tuple(leaves[row, index] for index in range(len(blocks)))
    return StoredRow(table, columns, blocks, first_leaves, is_table)


def _table_part(
    table: LookupTable, row: StoredRow, challenges: Challenges, weights: LeafWeights, number: int
) -> Extension:
    """sum_B e_B (alpha q + alpha^2 T(q)) at the low coordinates, in closed form; it is row `number`."""
    arguments, function = table_pieces(table)
    starts = [block.intervals[0][0] for block in row.blocks]
    first, second = challenges.powers
    total = first * weights.table(number, arguments, starts)
    return total if function is None else total + second * weights.table(number, function, starts)


def table_pieces(table: LookupTable) -> tuple[LinearPieces, LinearPieces | None]:
    """The table's one or two columns as linear pieces."""
    arguments = LinearPieces.identity(table.first, table.size)
    if table.function is None:
        return arguments, None
    return arguments, table.function.pieces


def table_columns(table: LookupTable) -> list[IntArray]:
    """The table's one or two columns, value by value: int64 [size] each."""
    import numpy as np

    arguments = np.arange(table.first, table.first + table.size, dtype=np.int64)
    return [arguments] if table.function is None else [arguments, table.function.values()]
