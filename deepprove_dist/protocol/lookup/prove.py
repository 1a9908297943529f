"""The prover's side of the lookup argument."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepprove_dist.kernels import BaseVector, ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.claims import ClaimList
from deepprove_dist.protocol.layout import Layout
from deepprove_dist.protocol.lookup.leaves import PartLeaves, PartValues, expression_values
from deepprove_dist.protocol.lookup.tree import Challenges, LeafLayout, claim_leaves
from deepprove_dist.protocol.relations.affine import IntArray, evaluate_affine
from deepprove_dist.protocol.relations.system import System
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
        self._boxes = PartLeaves(system, leaves, layout)

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
        challenges = Challenges.draw(transcript)
        (expressions,) = expression_values(self._system, self._leaves, tensors, 0)
        # A box of less than one place there is not.
        columns = PartValues(witness, BaseVector.from_bytes(b""), expressions)
        tree = self._boxes.build(columns, challenges)
        values, point, numerator, denominator = tree.prove(self._leaves.levels, transcript, pool)
        claim_leaves(self._system, self._leaves, challenges, point, numerator, denominator, claims)
        return values
