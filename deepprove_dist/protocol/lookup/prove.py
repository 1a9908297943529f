"""The prover's side of the lookup argument."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Leaves, Pool, Transcript
from deepprove_dist.protocol.claims import ONE, ClaimList
from deepprove_dist.protocol.layout import Layout
from deepprove_dist.protocol.lookup.tree import (
    Challenges,
    ExpressionRow,
    LeafLayout,
    StoredRow,
    claim_leaves,
    table_columns,
)
from deepprove_dist.protocol.relations.affine import IntArray, evaluate_affine
from deepprove_dist.protocol.relations.system import LookupTable, System, axis_bits
from deepprove_dist.timing import timed


def count_rows(system: System, tensors: Mapping[int, IntArray]) -> dict[int, IntArray]:
    """The multiplicities of every table, by their tensor: how often each row is looked up."""
    counts = {table.multiplicity: np.zeros(table.size, dtype=np.int64) for table in system.tables}
    for lookup in system.lookups:
        table = system.tables[lookup.table]
        column = lookup.columns[0]
        stored = column.stored
        arguments = tensors[stored] if stored is not None else evaluate_affine(system, column, tensors)
        rows = arguments.reshape(-1) - table.first
        counts[table.multiplicity] += np.bincount(rows, minlength=table.size)
    return counts


class LookupProver:
    """The lookup argument of one system; the tables' columns are prepared once."""

    def __init__(self, system: System, leaves: LeafLayout, layout: Layout) -> None:
        self._system = system
        self._leaves = leaves
        start = layout.weight_columns << layout.log_rows
        self._places = [[box.address - start for box in boxes] for boxes in layout.boxes]
        self._tables = [_vectors(table) for table in system.tables]

    @timed("lookups", "proving")
    def prove(
        self,
        witness: BaseVector,
        tensors: Mapping[int, IntArray],
        transcript: Transcript,
        claims: ClaimList,
        pool: Pool,
    ) -> ExtensionVector:
        """Proves all lookups down to two claims, and returns what the fraction tree sends.

        `witness` holds the witness's values in the order of addresses, `tensors` the same by tensor.
        """
        if not self._leaves.rows:
            return ExtensionVector.from_bytes(b"")
        challenges = Challenges(transcript.challenge("lookup/alpha"), transcript.challenge("lookup/beta"))
        tree = Leaves()
        for row in self._leaves.rows:
            if isinstance(row, ExpressionRow):
                self._add_expressions(tree, row, tensors, challenges)
            else:
                self._add(tree, row, witness, challenges)
        values, point, numerator, denominator = tree.prove(self._leaves.levels, transcript, pool)
        claim_leaves(self._system, self._leaves, challenges, point, numerator, denominator, claims)
        return values

    def _add(self, tree: Leaves, row: StoredRow, witness: BaseVector, challenges: Challenges) -> None:
        constant = challenges.beta - row.table
        placed = [self._places[column] for column in row.columns]
        for index, (box, leaf) in enumerate(zip(row.boxes, row.leaves, strict=True)):
            terms: list[tuple[Extension, tuple[BaseVector, int]]]
            if row.is_table:
                start = box.intervals[0][0]
                columns = self._tables[row.table]
                terms = [(-power, (c, start)) for power, c in zip(challenges.powers, columns, strict=False)]
                tree.add(leaf, box.log_size, constant, terms, (witness, placed[0][index]))
            else:
                places = [own[index] for own in placed]
                terms = [(-p, (witness, place)) for p, place in zip(challenges.powers, places, strict=False)]
                tree.add(leaf, box.log_size, constant, terms)

    def _add_expressions(
        self, tree: Leaves, row: ExpressionRow, tensors: Mapping[int, IntArray], challenges: Challenges
    ) -> None:
        """Denominators 1 + (constant - 1) * mask - sum, numerators the mask: 0/1 outside the index space."""
        constant = challenges.beta - row.table
        mask = _pad(np.ones(row.space, dtype=np.int64))
        terms = [(constant - 1, (mask, 0))]
        for power, column in zip(challenges.powers, row.columns, strict=False):
            terms.append((-power, (_pad(evaluate_affine(self._system, column, tensors)), 0)))
        tree.add(row.leaf, row.log_size, ONE, terms, (_pad(-np.ones(row.space, dtype=np.int64)), 0))


def _pad(values: IntArray) -> BaseVector:
    """Values over the hypercube of all axes' bits, zero outside."""
    padded = np.zeros([1 << axis_bits(size) for size in values.shape], dtype=np.int64)
    padded[tuple(slice(size) for size in values.shape)] = values
    return BaseVector.from_array(padded.reshape(-1))


def _vectors(table: LookupTable) -> list[BaseVector]:
    return [BaseVector.from_array(column) for column in table_columns(table)]
