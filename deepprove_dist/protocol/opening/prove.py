"""The prover's side of the opening.

1. All claims, batched, are one inner product f . w = v over all addresses. The column rounds bind the column
   bits to r and leave f'[i] = sum_c eq(r, c) M[i][c].
2. Each WHIR round commits f' as a matrix of 2^k columns at a lower rate, answers an out-of-domain sample,
   opens the code before it at random positions, adds f' = the fold of the opened rows there to the claim,
   and binds k more bits.
3. The last vector is sent in clear, the last code is opened, and the sumcheck goes on to a single point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deepprove_dist.kernels import (
    BaseVector,
    Boxes,
    CodeShape,
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
from deepprove_dist.protocol.claims import Claim, scaled_terms
from deepprove_dist.protocol.layout import Layout
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
    """One inner product: claims with scales, the claims at powers that column rounds take, and its value."""

    claims: Sequence[Claim]
    scales: ExtensionVector
    powers: list[tuple[Extension, Extension, int, int, ExtensionVector]]
    value: Extension

    def terms(self, boxes: Sequence[Boxes]) -> Terms:
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
        self,
        out_of_domain: tuple[Extension, Extension, Extension],
        points: BaseVector,
        coefficients: ExtensionVector,
        values: ExtensionVector,
    ) -> None:
        """Adds coefficient * (sum_i f'[i] x^i = value): (x, coefficient, value), and some at base points."""

    def rounds(self, count: int, transcript: Transcript) -> tuple[ExtensionVector, ExtensionVector]:
        """Binds `count` more variables: what was sent, and the challenges."""

    def values(self) -> ExtensionVector:
        """f'."""


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
        self,
        out_of_domain: tuple[Extension, Extension, Extension],
        points: BaseVector,
        coefficients: ExtensionVector,
        values: ExtensionVector,
    ) -> None:
        """See `State`."""
        self._opening.add_claim(*out_of_domain, self._pool)
        self._opening.add_base_claims(points, coefficients, values, self._pool)

    def rounds(self, count: int, transcript: Transcript) -> tuple[ExtensionVector, ExtensionVector]:
        """See `State`."""
        self._values = None
        return self._opening.rounds(count, transcript, self._pool)

    def values(self) -> ExtensionVector:
        """See `State`; kept until the next round, since it is asked for twice."""
        if self._values is None:
            self._values = self._opening.values()
        return self._values


ColumnRounds = Callable[[BatchedClaims, Transcript], tuple[State, ExtensionVector, ExtensionVector]]
"""Runs the column rounds: the state that they leave, what was sent, and the challenges."""


@dataclass(frozen=True)
class CommittedCode:
    """A code of the schedule with its trees, and what its columns were bound to."""

    code: InitialCode | Code
    trees: tuple[Tree, ...]
    point: ExtensionVector


def bind_columns_here(
    matrices: Sequence[BaseVector], layout: Layout, encoder: Encoder, pool: Pool
) -> ColumnRounds:
    """Column rounds over matrices on this machine."""

    def run(claims: BatchedClaims, transcript: Transcript) -> tuple[State, ExtensionVector, ExtensionVector]:
        terms = claims.terms(layout.kernel_boxes)
        opening, sent, point = Opening.columns(
            list(matrices), layout.log_rows, terms, claims.powers, claims.value, transcript, pool
        )
        return LocalState(opening, encoder, pool), sent, point

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
    state, columns, point = bind_columns(claims, transcript)
    last = CommittedCode(schedule.initial, tuple(trees), point)
    rounds, leaves = [], []
    for code in schedule.rounds:
        proof, opened, last = _round(state, code, last, transcript)
        rounds.append(proof)
        leaves += opened
    final = state.values()
    transcript.absorb_extension("opening/final", final)
    positions = draw_positions(last.code, transcript)
    leaves += [opened for opened, _ in _open(last, positions)]
    final_rounds, _ = state.rounds(schedule.final_log, transcript)
    return OpeningProof(columns, tuple(rounds), final, final_rounds, tuple(leaves))


def _round(
    state: State, code: Code, last: CommittedCode, transcript: Transcript
) -> tuple[RoundProof, list[Leaves], CommittedCode]:
    tree = state.commit(tree_shapes(code)[0])
    transcript.absorb("opening/root", tree.root)
    z = transcript.challenge("opening/out-of-domain")
    answer = state.evaluate(z)
    transcript.absorb_extension("opening/answer", ExtensionVector([answer]))
    positions = draw_positions(last.code, transcript)
    opened = _open(last, positions)
    folded = add_all([values for _, values in opened])
    gamma, powers = combination(transcript, len(positions))
    state.add_claims((z, gamma, answer), query_points(last.code, positions), powers, folded)
    rounds, point = state.rounds(code.log_columns, transcript)
    proof = RoundProof(tree.root, answer, rounds)
    return proof, [leaves for leaves, _ in opened], CommittedCode(code, (tree,), point)


def _open(last: CommittedCode, positions: list[int]) -> list[tuple[Leaves, ExtensionVector]]:
    """For each tree the opened leaves, and the fold of the row at each position."""
    shapes, weights = tree_shapes(last.code), column_weights(last.code, last.point)
    result = []
    for tree, shape, weight in zip(last.trees, shapes, weights, strict=True):
        asked = queries(positions, shape)
        rows, nodes = tree.open(asked.places)
        extension = isinstance(last.code, Code)
        folded = combine_rows(rows, shape, positions, asked.slots, weight, extension)
        result.append((Leaves(rows, nodes), folded))
    return result
