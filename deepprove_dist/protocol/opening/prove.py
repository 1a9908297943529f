"""The prover's side of the opening.

1. All claims, batched, are one inner product f . w = v over all addresses. The column rounds bind the column
   bits to r and leave f'[i] = sum_c eq(r, c) M[i][c].
2. Each WHIR round commits f' as a matrix of 2^k columns at a lower rate, answers an out-of-domain sample,
   draws positions in the code before it, adds f' = the fold of the rows there to the claim, and binds k more
   bits.
3. The last vector is sent in clear, positions in the last code are drawn, and the sumcheck goes on to a
   single point.

Which rows are opened is drawn on the way, but nothing that is sent depends on them: all trees are opened at
the end, at once. Nor does a prover need the running claim (round polynomials leave out the coefficient that
it gives).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Commitment,
    DyadicBlocks,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    Pool,
    Terms,
    Transcript,
)
from deepprove_dist.protocol.claims import Claim, scaled_terms
from deepprove_dist.protocol.layout import Layout
from deepprove_dist.protocol.opening.codes import (
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
    """One inner product: claims with scales, the claims at powers that column rounds take, and its value."""

    claims: Sequence[Claim]
    scales: ExtensionVector
    powers: list[tuple[Extension, Extension, int, int, ExtensionVector]]
    value: Extension

    def terms(self, boxes: Sequence[DyadicBlocks]) -> Terms:
        """The weights of all claims; `boxes` are those of each tensor."""
        return scaled_terms([claim.terms for claim in self.claims], boxes, self.scales)


class Tree(Protocol):
    """A committed matrix: its root, and leaves with the nodes that prove them."""

    @property
    def root(self) -> bytes:
        """The Merkle root."""

    def open(self, leaves: list[int]) -> tuple[BaseVector, bytes]:
        """The leaves at sorted, distinct places of the tree, and the nodes that a verifier lacks."""


class State(Protocol):
    """What the column rounds leave: f' and its weights, in one place or in many."""

    def commit(self, code: CodeShape) -> Tree:
        """Commits f' as a matrix of top bits by low bits."""

    def evaluate(self, z: Extension) -> Extension:
        """sum_i f'[i] z^i."""

    def add_claims(
        self, z: Extension, coefficient: Extension, points: BaseVector, coefficients: ExtensionVector
    ) -> None:
        """Adds the weights of claims about sum_i f'[i] x^i, scaled: one at z, and some at base points."""

    def rounds(self, count: int, transcript: Transcript) -> ExtensionVector:
        """Binds `count` more variables: what was sent."""

    def values(self) -> ExtensionVector:
        """f'."""

    def open(self, asked: Sequence[tuple[Tree, list[int]]]) -> list[tuple[BaseVector, bytes]]:
        """Opens some trees, as `Tree.open` does each."""


class LocalState:
    """f' on this machine."""

    def __init__(self, opening: Opening, encoder: Encoder, pool: Pool) -> None:
        self._opening, self._encoder, self._pool = opening, encoder, pool
        self._values: ExtensionVector | None = None

    def commit(self, code: CodeShape) -> Tree:
        """See `State`."""
        return Commitment.of_extension(self.values(), code, self._encoder, self._pool)

    def evaluate(self, z: Extension) -> Extension:
        """See `State`."""
        return self.values().evaluate(z, self._pool)

    def add_claims(
        self, z: Extension, coefficient: Extension, points: BaseVector, coefficients: ExtensionVector
    ) -> None:
        """See `State`."""
        self._opening.add_claims(ExtensionVector([z]), ExtensionVector([coefficient]), self._pool)
        self._opening.add_base_claims(points, coefficients, self._pool)

    def rounds(self, count: int, transcript: Transcript) -> ExtensionVector:
        """See `State`."""
        self._values = None
        sent, _ = self._opening.rounds(count, transcript, self._pool)
        return sent

    def values(self) -> ExtensionVector:
        """See `State`; kept until the next round, since it is asked for twice."""
        if self._values is None:
            self._values = self._opening.values()
        return self._values

    def open(self, asked: Sequence[tuple[Tree, list[int]]]) -> list[tuple[BaseVector, bytes]]:
        """See `State`."""
        return [tree.open(leaves) for tree, leaves in asked]


ColumnRounds = Callable[[BatchedClaims, Transcript], tuple[State, ExtensionVector]]
"""Runs the column rounds: the state that they leave, and what was sent."""


def bind_columns_here(
    matrices: Sequence[BaseVector], layout: Layout, encoder: Encoder, pool: Pool
) -> ColumnRounds:
    """Column rounds over matrices on this machine."""

    def run(claims: BatchedClaims, transcript: Transcript) -> tuple[State, ExtensionVector]:
        terms = claims.terms(layout.kernel_boxes)
        opening, sent, _ = Opening.columns(
            list(matrices), layout.log_rows, terms, claims.powers, claims.value, transcript, pool
        )
        return LocalState(opening, encoder, pool), sent

    return run


@timed("opening", "proving")
def prove_opening(
    schedule: Schedule,
    trees: Sequence[Tree],
    bind_columns: ColumnRounds,
    claims: BatchedClaims,
    transcript: Transcript,
) -> OpeningProof:
    """Proves the batched claims about the matrices committed in `trees`."""
    state, columns = bind_columns(claims, transcript)
    rounds = []
    last: InitialCode | Code = schedule.initial
    asked: list[tuple[Tree, list[int]]] = []
    for code in schedule.rounds:
        tree = state.commit(tree_shapes(code)[0])
        transcript.absorb("opening/root", tree.root)
        z = transcript.challenge("opening/out-of-domain")
        answer = state.evaluate(z)
        transcript.absorb_extension("opening/answer", ExtensionVector([answer]))
        positions = draw_positions(last, transcript)
        asked += _leaves(last, trees, positions)
        gamma, powers = combination(transcript, len(positions))
        state.add_claims(z, gamma, query_points(last, positions), powers)
        rounds.append(RoundProof(tree.root, answer, state.rounds(code.log_columns, transcript)))
        last, trees = code, [tree]
    final = state.values()
    transcript.absorb_extension("opening/final", final)
    asked += _leaves(last, trees, draw_positions(last, transcript))
    final_rounds = state.rounds(schedule.final_log, transcript)
    leaves = tuple(Leaves(rows, nodes) for rows, nodes in state.open(asked))
    return OpeningProof(columns, tuple(rounds), final, final_rounds, leaves)


def _leaves(
    code: InitialCode | Code, trees: Sequence[Tree], positions: list[int]
) -> list[tuple[Tree, list[int]]]:
    """Each tree of a code with the leaves that hold the positions."""
    return [
        (tree, queries(positions, shape).places) for tree, shape in zip(trees, tree_shapes(code), strict=True)
    ]
