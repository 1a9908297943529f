"""The leaf blocks of a fraction tree, or of one of P = 2^s parts of it, written from columns.

Of every layer, leaves included, part q has the nodes x = q mod P; the local index of x is x >> s. Blocks
stand at multiples of their sizes, among addresses and among leaves. So a block of at least P values is
contiguous in the part's rows too: address, leaf and size are shifted by s. Of a smaller block a part has one
value or none, and the low bits of addresses and leaves differ. Every part gets the values of all such blocks.
Expressions of columns are evaluated as a whole and then shared out. One machine alone has the one part of
P = 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import numpy as np

from deepprove_dist.ahead import by_threads
from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import ExecutionError
from deepprove_dist.kernels import BaseVector, Extension, FractionLeaves, LeafPlan
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.claims.claim import ONE
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.lookup.tree import (
    MIN_LEVELS,
    Challenges,
    ExpressionRow,
    LeafLayout,
    LeafRow,
    StoredRow,
    table_columns,
)
from deepprove_dist.protocol.system.evaluate import add_affine, evaluate_affine
from deepprove_dist.protocol.system.system import Matrix, System, axis_bits, space_bits

LEAST_VALUES = 1 << 18
"""Of expressions that several threads compute: fewer take less time than to start a thread."""

ROWS, SMALL, EXPRESSIONS = range(3)
"""Vectors that come with a proof, the fields of `PartValues` in their order."""

Column = tuple[BaseVector | int, int]
"""A vector, or which of those of a proof it is, and the index of the column's first value in it."""

NONE_EVALUATED: Mapping[int, IntArray] = MappingProxyType({})
"""Of lookups of expressions, none of whose values are known."""


@dataclass(frozen=True)
class PartValues:
    """What the leaves of a part are written from.

    Attributes:
        rows: of the witness matrix, column by column, the rows r = part mod P in their order.
        small: what `small_values` returns, the same for all parts.
        expressions: the part's own of what `expression_values` returns.
    """

    rows: BaseVector
    small: BaseVector
    expressions: BaseVector


def small_values(
    system: System, leaves: LeafLayout, tensors: Mapping[int, Integers], log_parts: int
) -> BaseVector:
    """The columns of all leaf blocks of fewer than 2^log_parts values, block by block in the order of rows.

    A block's multiplicities, where it has any, are its last column. `tensors` are the witness's, by index.
    """
    values: list[IntArray] = []
    for row in leaves.rows:
        small = [index for index, (_, log) in enumerate(row.leaf_blocks) if log < log_parts]
        columns = _columns(system, row, tensors) if small else []
        for index in small:
            block = _block_slices(row, index)
            values += [np.reshape(column[block], -1) for column in columns]
    return _vector(np.concatenate(values) if values else np.zeros(0, dtype=np.int64))


def expression_values(
    system: System,
    leaves: LeafLayout,
    tensors: Mapping[int, Integers],
    log_parts: int,
    threads: int = 1,
    evaluated: Mapping[int, IntArray] = NONE_EVALUATED,
) -> list[BaseVector]:
    """For each part, its values of the lookups of expressions, column by column.

    Only lookups of at least 2^log_parts leaves are here; `small_values` has the others. Columns are computed
    by so many threads where they have LEAST_VALUES together. `evaluated` has first columns that are known, by
    the lookup's number.
    """
    columns = [
        (column, evaluated.get(number) if index == 0 else None)
        for number, row in enumerate(leaves.rows)
        if isinstance(row, ExpressionRow) and row.log_size >= log_parts
        for index, column in enumerate(row.columns)
    ]
    ends = list(accumulate((1 << space_bits(column.space) for column, _ in columns), initial=0))
    whole = np.zeros(ends[-1], dtype=np.int64)

    def compute(number: int) -> None:
        column, known = columns[number]
        target = _inside(whole[ends[number] : ends[number + 1]], column.space)
        if known is None:
            add_affine(target, system, column, tensors)
        else:
            target[...] = known

    by_threads(compute, range(len(columns)), threads if len(whole) >= LEAST_VALUES else 1)
    # Every column has a multiple of 2^log_parts values, so all of them together are shared out as one.
    return _vector(whole).parts(log_parts)


class PartLeaves:
    """The leaf blocks of part `part` of 2^log_parts, planned once; proofs have the values of their columns.

    Raises ExecutionError where the tree is too small for so many parts.
    """

    def __init__(
        self, system: System, leaves: LeafLayout, layout: Layout, log_parts: int = 0, part: int = 0
    ) -> None:
        if leaves.levels - log_parts < MIN_LEVELS:
            raise ExecutionError(f"2^{leaves.levels} lookups are too few to share among 2^{log_parts} parts")
        self._log_parts, self._part, self._rows = log_parts, part, leaves.rows
        start = layout.first_column(Matrix.WITNESS) << layout.log_rows
        self._first_rows = [
            [(block.position - start) >> log_parts for block in blocks] for blocks in layout.blocks
        ]
        self._tables = [[self._of_part(column) for column in table_columns(table)] for table in system.tables]
        spaces = {
            row.space for row in leaves.rows if isinstance(row, ExpressionRow) and row.log_size >= log_parts
        }
        self._masks = {space: (self._of_part(_mask(space)), self._of_part(-_mask(space))) for space in spaces}
        self._plan = self._planned([_width(system, row) for row in leaves.rows])

    def build(self, values: PartValues, challenges: Challenges) -> FractionLeaves:
        """The part's leaves, at their local indices."""
        negated = [-power for power in challenges.powers]
        denominators = [_denominator(row, challenges.beta, negated) for row in self._rows]
        return self._plan.leaves([values.rows, values.small, values.expressions], denominators)

    def _planned(self, widths: list[int]) -> LeafPlan:
        """All leaf blocks of the part; `widths` are the columns of each row."""
        plan, small, expressions = LeafPlan(), 0, 0
        for number, (row, width) in enumerate(zip(self._rows, widths, strict=True)):
            for index, (leaf, log) in enumerate(row.leaf_blocks):
                local_log = log - self._log_parts
                columns: list[Column]
                if local_log < 0:
                    first, offset = small, self._part - leaf % (1 << self._log_parts)
                    small += width << log
                    if not 0 <= offset < 1 << log:
                        continue
                    columns = [(SMALL, first + (k << log) + offset) for k in range(width)]
                    local_log = 0
                elif isinstance(row, ExpressionRow):
                    mask, counts = self._masks[row.space]
                    count = len(row.columns)
                    stored = [(EXPRESSIONS, expressions + (k << local_log)) for k in range(count)]
                    expressions += count << local_log
                    columns = [(mask, 0), *stored, (counts, 0)]
                else:
                    columns = self._stored(row, index)
                multiplicities = columns.pop() if _counted(row) else None
                plan.add(number, leaf >> self._log_parts, local_log, columns, multiplicities)
        return plan

    def _stored(self, row: StoredRow, index: int) -> list[Column]:
        placed: list[Column] = [(ROWS, self._first_rows[column][index]) for column in row.columns]
        if not row.is_table:
            return placed
        start = row.blocks[index].intervals[0][0] >> self._log_parts
        return [*((column, start) for column in self._tables[row.table]), *placed]

    def _of_part(self, values: IntArray) -> BaseVector:
        return _vector(values[self._part :: 1 << self._log_parts])


def _denominator(
    row: LeafRow, beta: Extension, negated: list[Extension]
) -> tuple[Extension, list[Extension]]:
    """Constant, and coefficients of a row's columns; `negated` are -alpha and -alpha^2.

    That of an expression is 1 + (constant - 1) * mask - sum, its numerator the mask: 0/1 outside the space.
    """
    constant = beta - row.table
    return (ONE, [constant - 1, *negated]) if isinstance(row, ExpressionRow) else (constant, negated)


def _counted(row: LeafRow) -> bool:
    """Whether a row's last column is its multiplicities, minus the numerators."""
    return isinstance(row, ExpressionRow) or row.is_table


def _width(system: System, row: LeafRow) -> int:
    """Columns of a row's leaf blocks, as `_columns` lists them."""
    if isinstance(row, ExpressionRow):
        return len(row.columns) + 2
    return system.tables[row.table].width + 1 if row.is_table else len(row.columns)


def _columns(system: System, row: LeafRow, tensors: Mapping[int, Integers]) -> list[IntArray]:
    """A row's columns, multiplicities last: of the tensors' shape, or over an expression's hypercube."""
    if isinstance(row, ExpressionRow):
        mask = _mask(row.space)
        return [mask, *(_pad(evaluate_affine(system, column, tensors)) for column in row.columns), -mask]
    stored = [tensors[column].reshape(system.tensors[column].shape) for column in row.columns]
    return [*table_columns(system.tables[row.table]), *stored] if row.is_table else stored


def _block_slices(row: LeafRow, index: int) -> tuple[slice, ...]:
    """Where a leaf block is in the row's columns, a slice for each axis."""
    if isinstance(row, ExpressionRow):
        return (slice(None),)
    return tuple(slice(start, start + (1 << log)) for start, log in row.blocks[index].intervals)


def _mask(space: Shape) -> IntArray:
    return _pad(np.ones(space, dtype=np.int64))


def _pad(values: IntArray) -> IntArray:
    """Values over the hypercube of all axes' bits, zero outside, flat."""
    padded = np.zeros(1 << space_bits(values.shape), dtype=np.int64)
    _inside(padded, values.shape)[...] = values
    return padded


def _inside(padded: IntArray, space: Shape) -> IntArray:
    """The indices of a space in a flat array over the hypercube of all its axes' bits, as a view."""
    inside: IntArray = padded.reshape([1 << axis_bits(size) for size in space])
    for axis, size in enumerate(space):
        inside = inside[(*(slice(None),) * axis, slice(size))]
    return inside


def _vector(values: IntArray) -> BaseVector:
    return BaseVector.from_array(np.ascontiguousarray(values))
