"""The simulator's opening: F is uniform, and what the verifier checks about it decides sigma and
the rows of s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import (
    BaseVector,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    Terms,
    verify_rounds,
)
from deepprove_dist.protocol.messages.proof import Leaves, OpeningProof, RoundProof
from deepprove_dist.protocol.opening.codes import (
    column_weights,
    combination,
    draw_positions,
    fold_tail,
    queries,
    query_points,
    tree_shapes,
)
from deepprove_dist.protocol.opening.mask import RandomRowWeights
from deepprove_dist.protocol.opening.prove import LocalFoldedVector, Tree, TreeQuery
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from tests.hiding.elements import coordinates, inverse, uniform
from tests.hiding.tables import Table, open_without_table, rows_of_leaves
from tests.hiding.toy import POOL


@dataclass(frozen=True)
class SimulatedOpening:
    """What a prover sends, the witness's root among it."""

    root: bytes
    sigma: Extension
    tail: ExtensionVector
    opening: OpeningProof


def simulate_opening(
    schedule: Schedule,
    tables: Sequence[Table],
    terms: Terms,
    value: Extension,
    random_rows: RandomRowWeights,
    transcript: Any,
    rng: np.random.Generator,
) -> SimulatedOpening:
    """`tables` have the rows of weights; the claim says that <terms, committed values> is `value`."""
    code = schedule.initial
    columns = uniform(rng, 2 * code.column_rounds)
    point, claim = verify_rounds(code.column_rounds, columns, value, transcript.real)
    transcript.absorb("mask/sigma", b"")
    epsilon = transcript.challenge("mask/epsilon")
    data, tail = uniform(rng, 1 << code.log_rows), uniform(rng, code.random_rows)
    weights = ExtensionVector([terms.evaluate(point + corner) for corner in _corners(code.log_rows)])
    product = weights.dot(data) + random_rows.bound(point).dot(tail)
    sigma = (product - claim) * inverse(epsilon)
    folded = LocalFoldedVector(
        Opening.join([data], [weights], POOL), BaseVector.from_bytes(b""), Encoder(), POOL
    )
    drawn, rounds, asked, final, final_rounds = _fold(schedule, folded, tail, transcript)
    # The rows of s follow from F, and from those of X and W.
    masked = _Masked(code, point, epsilon, data, tail)
    root, leaves = _open_witness(masked, tables, drawn, rng)
    opened = (
        *(table.open(drawn) for table in tables),
        leaves,
        *(Leaves(*tree.open(indices)) for tree, indices in asked),
    )
    opening = OpeningProof(columns, tuple(rounds), final, final_rounds, opened)
    return SimulatedOpening(root, sigma, tail, opening)


def _fold(
    schedule: Schedule, folded: LocalFoldedVector, tail: ExtensionVector, transcript: Any
) -> tuple[list[int], list[RoundProof], list[TreeQuery], ExtensionVector, ExtensionVector]:
    """What follows from F, as a prover makes it: the positions in the initial code, and all that is sent."""
    last: InitialCode | Code = schedule.initial
    rounds: list[RoundProof] = []
    drawn: list[list[int]] = []
    asked: list[TreeQuery] = []
    trees: list[Tree] = []
    for code in schedule.rounds:
        tree = folded.commit(tree_shapes(code)[0])
        transcript.absorb("opening/root", tree.root)
        if not rounds:
            transcript.absorb_extension("opening/tail", tail)
        z = transcript.challenge("opening/out-of-domain")
        answer = folded.evaluate(z)
        transcript.absorb_extension("opening/answer", ExtensionVector([answer]))
        drawn.append(draw_positions(last, transcript))
        gamma, powers = combination(transcript, len(drawn[-1]))
        folded.add_claims(z, gamma, query_points(last, drawn[-1]), powers)
        rounds.append(RoundProof(tree.root, answer, folded.rounds(code.log_columns, transcript)))
        last, trees = code, [*trees, tree]
    if not rounds:
        transcript.absorb_extension("opening/tail", tail)
    final = folded.values()
    transcript.absorb_extension("opening/final", final)
    drawn.append(draw_positions(last, transcript))
    for code, tree, positions in zip(schedule.rounds, trees, drawn[1:], strict=True):
        asked.append((tree, queries(positions, tree_shapes(code)[0]).leaves))
    return drawn[0], rounds, asked, final, folded.rounds(schedule.final_log, transcript)


@dataclass(frozen=True)
class _Masked:
    """F = f' + epsilon s, data and random rows, and what the columns were bound to."""

    code: InitialCode
    point: ExtensionVector
    epsilon: Extension
    data: ExtensionVector
    tail: ExtensionVector

    def at(self, positions: list[int]) -> ExtensionVector:
        """F at the points of some positions."""
        data = self.data.at(query_points(self.code, positions))
        return data.plus(fold_tail(self.code, self.tail, positions))


def _open_witness(
    masked: _Masked, tables: Sequence[Table], drawn: list[int], rng: np.random.Generator
) -> tuple[bytes, Leaves]:
    """Uniform rows of X; those of s so that the fold at each row of a leaf is F there."""
    code, shape = masked.code, tree_shapes(masked.code)[-1]
    leaves = queries(drawn, shape).leaves
    positions = rows_of_leaves(shape, 1 << code.log_length, leaves).reshape(-1)
    witness = rng.integers(0, MODULUS, (len(positions), code.witness_columns))
    rows = np.concatenate([*(table.rows[positions] for table in tables), witness], axis=1)
    weights = ExtensionVector([])
    for part in column_weights(code, masked.point):
        weights += part
    folds = ExtensionVector([_base(row).dot(weights) for row in rows])
    mask = masked.at([int(p) for p in positions]).minus(folds).scaled(inverse(masked.epsilon))
    opened = np.concatenate([witness, coordinates(mask)], axis=1).reshape(len(leaves), -1)
    sent, root = open_without_table(opened, shape, leaves, rng)
    return root, sent


def _base(row: IntArray) -> ExtensionVector:
    return ExtensionVector.of_base(BaseVector.from_array(row))


def _corners(variables: int) -> list[ExtensionVector]:
    """All points of a hypercube, the top variable first."""
    return [
        ExtensionVector([index >> bit & 1 for bit in reversed(range(variables))])
        for index in range(1 << variables)
    ]
