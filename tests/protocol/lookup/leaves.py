"""All leaves of a fraction tree by definition."""

from __future__ import annotations

from itertools import product

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.lookup.tree import (
    Challenges,
    ExpressionRow,
    LeafLayout,
    StoredRow,
    table_columns,
)
from deepprove_dist.protocol.system.system import System, axis_bits
from tests.protocol.naive import Values, affine_values


def fractions(
    system: System, leaves: LeafLayout, values: Values, drawn: Challenges
) -> tuple[list[Extension], list[Extension]]:
    """Numerators and denominators; 0/1 where no row has a leaf."""
    numerators = [Extension(0)] * (1 << leaves.levels)
    denominators = [Extension(1)] * (1 << leaves.levels)
    for row in leaves.rows:
        if isinstance(row, ExpressionRow):
            placed = put_expressions(row, system, values)
        else:
            placed = put_stored(row, system, values)
        for leaf, columns, numerator in placed:
            fingerprint = Extension(row.table)
            for power, value in zip(drawn.powers, columns, strict=False):
                fingerprint += power * value
            numerators[leaf], denominators[leaf] = Extension(numerator), drawn.beta - fingerprint
    return numerators, denominators


Leaf = tuple[int, list[int], int]
"""Its place, the row's columns, the numerator."""


def put_stored(row: StoredRow, system: System, values: Values) -> list[Leaf]:
    """The blocks of the columns' tensors, or of a table's multiplicities."""
    shape = system.tensors[row.columns[0]].shape
    columns = [values[column].reshape(shape) for column in row.columns]
    counts = -columns[0] if row.is_table else np.ones(shape, dtype=np.int64)
    listed = table_columns(system.tables[row.table]) if row.is_table else columns
    result = []
    for block, leaf in zip(row.blocks, row.leaves, strict=True):
        slices = tuple(slice(start, start + (1 << log)) for start, log in block.intervals)
        parts: list[IntArray] = [column[slices].reshape(-1) for column in (counts, *listed)]
        for offset, (count, *entries) in enumerate(zip(*(part.tolist() for part in parts), strict=True)):
            result.append((leaf + offset, entries, count))
    return result


def put_expressions(row: ExpressionRow, system: System, values: Values) -> list[Leaf]:
    """One leaf for each place of the index space, among those of the hypercube around it."""
    columns = [affine_values(system, column, values) for column in row.columns]
    hypercube = product(*(range(1 << axis_bits(size)) for size in row.space))
    return [
        (row.leaf + offset, [int(column[index]) for column in columns], 1)
        for offset, index in enumerate(hypercube)
        if all(i < size for i, size in zip(index, row.space, strict=True))
    ]
