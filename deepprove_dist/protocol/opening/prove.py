"""The prover's side of the opening.

1. All claims, batched, are one inner product f . w = v over all addresses. The column rounds bind the column
   bits to r and leave f'[i] = sum_c eq(r, c) M[i][c].
2. Each WHIR round commits f' as a matrix of 2^k columns at a lower rate, answers an out-of-domain sample,
   opens the code before it at random positions, adds f' = the fold of the opened rows there to the claim,
   and binds k more bits.
3. The last vector is sent in clear, the last code is opened, and the sumcheck goes on to a single point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.kernels import (
    BaseVector,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    Pool,
    Terms,
    Transcript,
    combine_rows,
)
from deepprove_dist.protocol.opening.codes import (
    add_all,
    column_weights,
    combination,
    draw_positions,
    queries,
    query_points,
    tree_shapes,
)
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.protocol.proof import Leaves, OpeningProof, RoundProof
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class BatchedClaims:
    """One inner product: the terms of w, the claims at powers that `Opening.columns` takes, its value."""

    terms: Terms
    powers: list[tuple[Extension, Extension, int, int, ExtensionVector]]
    value: Extension


@dataclass(frozen=True)
class CommittedCode:
    """A code of the schedule with its trees, and what its columns were bound to."""

    code: InitialCode | Code
    trees: tuple[Commitment, ...]
    point: ExtensionVector


class Opener:
    """Opens both matrices by one schedule."""

    def __init__(self, schedule: Schedule, encoder: Encoder, pool: Pool) -> None:
        self._schedule = schedule
        self._encoder = encoder
        self._pool = pool

    @timed("opening", "proving")
    def prove(
        self,
        matrices: Sequence[BaseVector],
        trees: Sequence[Commitment],
        claims: BatchedClaims,
        transcript: Transcript,
    ) -> OpeningProof:
        """Proves the batched claims about `matrices`, committed in `trees` in the same order."""
        initial = self._schedule.initial
        state, columns, point = Opening.columns(
            list(matrices),
            initial.log_rows,
            claims.terms,
            claims.powers,
            claims.value,
            transcript,
            self._pool,
        )
        last = CommittedCode(initial, tuple(trees), point)
        rounds, leaves = [], []
        for code in self._schedule.rounds:
            proof, opened, last = self._round(state, code, last, transcript)
            rounds.append(proof)
            leaves += opened
        final = state.values()
        transcript.absorb_extension("opening/final", final)
        positions = draw_positions(last.code, transcript)
        leaves += [opened for opened, _ in _open(last, positions)]
        final_rounds, _ = state.rounds(self._schedule.final_log, transcript, self._pool)
        return OpeningProof(columns, tuple(rounds), final, final_rounds, tuple(leaves))

    def _round(
        self, state: Opening, code: Code, last: CommittedCode, transcript: Transcript
    ) -> tuple[RoundProof, list[Leaves], CommittedCode]:
        values = state.values()
        tree = Commitment.of_extension(values, tree_shapes(code)[0], self._encoder, self._pool)
        transcript.absorb("opening/root", tree.root)
        z = transcript.challenge("opening/out-of-domain")
        answer = values.evaluate(z, self._pool)
        transcript.absorb_extension("opening/answer", ExtensionVector([answer]))
        positions = draw_positions(last.code, transcript)
        opened = _open(last, positions)
        folded = add_all([values for _, values in opened])
        gamma, powers = combination(transcript, len(positions))
        state.add_claim(z, gamma, answer, self._pool)
        state.add_base_claims(query_points(last.code, positions), powers, folded, self._pool)
        rounds, point = state.rounds(code.log_columns, transcript, self._pool)
        proof = RoundProof(tree.root, answer, rounds)
        return proof, [leaves for leaves, _ in opened], CommittedCode(code, (tree,), point)


def _open(last: CommittedCode, positions: list[int]) -> list[tuple[Leaves, ExtensionVector]]:
    """For each tree the opened leaves, and the fold of the row at each position."""
    shapes, weights = tree_shapes(last.code), column_weights(last.code, last.point)
    result = []
    for tree, shape, weight in zip(last.trees, shapes, weights, strict=True):
        places = queries(positions, shape)
        rows, nodes = tree.open(places.leaves)
        extension = isinstance(last.code, Code)
        folded = combine_rows(rows, shape, positions, places.slots, weight, extension)
        result.append((Leaves(rows, nodes), folded))
    return result
