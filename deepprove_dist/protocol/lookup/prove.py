"""The prover's side of the lookup argument."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Leaves, Pool, Transcript
from deepprove_dist.protocol.claims import ClaimList
from deepprove_dist.protocol.layout import Layout
from deepprove_dist.protocol.lookup.tree import (
    Challenges,
    LeafLayout,
    LeafRow,
    claim_leaves,
    table_columns,
)
from deepprove_dist.protocol.relations.system import LookupTable, System


def count_rows(
    system: System, columns: Callable[[int], npt.NDArray[np.int64]]
) -> dict[int, npt.NDArray[np.int64]]:
    """The multiplicities of every table, by their tensor: how often each row is looked up."""
    counts = {table.multiplicity: np.zeros(table.size, dtype=np.int64) for table in system.tables}
    for lookup in system.lookups:
        table = system.tables[lookup.table]
        rows = columns(lookup.columns[0]).reshape(-1) - table.first
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

    def prove(
        self,
        witness: BaseVector,
        transcript: Transcript,
        claims: ClaimList,
        pool: Pool,
    ) -> ExtensionVector:
        """Proves all lookups down to two claims, and returns what the fraction tree sends.

        `witness` holds the witness's values in the order of addresses.
        """
        if not self._leaves.rows:
            return ExtensionVector.from_bytes(b"")
        challenges = Challenges(transcript.challenge("lookup/alpha"), transcript.challenge("lookup/beta"))
        tree = Leaves()
        for row in self._leaves.rows:
            self._add(tree, row, witness, challenges)
        values, point, numerator, denominator = tree.prove(self._leaves.levels, transcript, pool)
        claim_leaves(self._system, self._leaves, challenges, point, numerator, denominator, claims)
        return values

    def _add(self, tree: Leaves, row: LeafRow, witness: BaseVector, challenges: Challenges) -> None:
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


def _vectors(table: LookupTable) -> list[BaseVector]:
    return [BaseVector.from_array(column) for column in table_columns(table)]
