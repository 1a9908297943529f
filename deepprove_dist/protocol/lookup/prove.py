"""The prover's side of the lookup argument."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from threading import Lock
from typing import Protocol

import numpy as np

from deepprove_dist.ahead import by_threads
from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import BaseVector, ExtensionVector, Pool, Transcript, count_integers
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.lookup.leaves import (
    NONE_EVALUATED,
    PartLeaves,
    PartValues,
    expression_values,
)
from deepprove_dist.protocol.lookup.tree import Challenges, LeafLayout, count_values
from deepprove_dist.protocol.system.evaluate import evaluate_affine
from deepprove_dist.protocol.system.system import Lookup, System
from deepprove_dist.timing import timed

FEW_VALUES = 1 << 20
"""Of expressions that are kept from where they are counted to where they are looked up: 8 MB."""


def count_rows(
    system: System,
    tensors: Mapping[int, Integers],
    threads: int = 1,
    evaluated: dict[int, IntArray] | None = None,
) -> dict[int, IntArray]:
    """The multiplicities of every table, by their tensor: how often each row is looked up, int64 [size].

    Lookups are counted by so many threads. `evaluated` gets the first columns of lookups of expressions, by
    the lookup's number, where they have few values together.
    """
    counts, lock = [np.zeros(table.size, dtype=np.int64) for table in system.tables], Lock()
    if sum(prod(lookup.columns[0].space) for lookup in system.lookups if lookup.stored is None) > FEW_VALUES:
        evaluated = None

    def count(numbered: tuple[int, Lookup]) -> None:
        number, lookup = numbered
        table, column = system.tables[lookup.table], lookup.columns[0]
        stored = column.stored
        values = tensors[stored] if stored is not None else evaluate_affine(system, column, tensors)
        if stored is None and evaluated is not None:
            evaluated[number] = values
        counted = count_integers(values.reshape(-1), table.first, table.size)
        with lock:
            counts[lookup.table] += counted

    by_threads(count, [*enumerate(system.lookups)], threads)
    return {table.multiplicity: counts for table, counts in zip(system.tables, counts, strict=True)}


class FractionTree(Protocol):
    """The fraction tree over the lookups of one witness."""

    def prove_fractions(
        self, challenges: Challenges, transcript: Transcript, pads: ExtensionVector
    ) -> ExtensionVector:
        """Builds the leaves with these challenges and proves that their fractions add up to zero.

        Returns what is sent, layer by layer from the root: each value with its pad, if there are pads.
        """


class LocalFractions:
    """The fraction tree of one witness in this process."""

    def __init__(
        self,
        system: System,
        leaves: LeafLayout,
        writer: PartLeaves,
        matrix: BaseVector,
        tensors: Mapping[int, Integers],
        pool: Pool,
        evaluated: Mapping[int, IntArray] = NONE_EVALUATED,
    ) -> None:
        """`matrix` has the witness's columns, `tensors` the same by tensor, row-major.

        `writer` writes the system's leaves, all of them in one part. `evaluated` is that of `count_rows`.
        """
        self._system, self._leaves, self._writer, self._evaluated = system, leaves, writer, evaluated
        self._matrix, self._tensors, self._pool = matrix, tensors, pool

    def prove_fractions(
        self, challenges: Challenges, transcript: Transcript, pads: ExtensionVector
    ) -> ExtensionVector:
        """See `FractionTree`."""
        system, leaves, threads = self._system, self._leaves, self._pool.threads
        (expressions,) = expression_values(system, leaves, self._tensors, 0, threads, self._evaluated)
        # A block of less than one value there is not.
        values = PartValues(self._matrix, BaseVector.from_bytes(b""), expressions)
        tree = self._writer.build(values, challenges)
        sent, *_ = tree.prove(leaves.levels, transcript, self._pool, pads)
        return sent


@timed("lookups", "proving")
def prove_lookups(
    leaves: LeafLayout, tree: FractionTree, transcript: Transcript, pads: Pads
) -> ExtensionVector:
    """Proves all lookups: what is sent, nothing without lookups.

    The argument is logup-GKR (eprint 2023/1284). `verify_lookups` is the other side, and has the claims that
    it ends in.
    """
    if not leaves.rows:
        return ExtensionVector([])
    challenges = Challenges.draw(transcript)
    return tree.prove_fractions(challenges, transcript, pads.take(count_values(leaves.levels)))
