"""The prover's side of the opening.

1. All claims, batched, are one inner product f . w = v over all addresses. The column rounds bind the column
   bits to r and leave f'[i] = sum_c eq(r, c) M[i][c].
2. A hiding proof goes on with F = f' + epsilon s in the place of f', s being a random vector.
3. Each WHIR round commits f' as a matrix of 2^k columns at a lower rate, and answers an out-of-domain sample.
   It draws positions in the code before, and adds claims: f' is the fold of the rows there. Then it binds k
   more bits.
4. The last vector is sent in clear, and positions in the last code are drawn. The sumcheck goes on to a
   single point.

Which rows are opened is drawn on the way, but nothing that is sent depends on them. So all trees are opened
at once, at the end. Nor does a prover need the running claim: round polynomials leave out the coefficient
that it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    Pool,
    Transcript,
)
from deepprove_dist.protocol.claims.claim import CombinedClaims
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.messages.proof import Leaves, OpeningProof, RoundProof
from deepprove_dist.protocol.opening.codes import (
    combination,
    draw_positions,
    queries,
    query_points,
    tree_shapes,
)
from deepprove_dist.protocol.opening.mask import HiddenRows, MaskedOpening
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class ColumnSample:
    """A claim at powers of z whose columns are known: sum_c z^(c rows) sum_i M[i][c] z^i, over some columns.

    Attributes:
        z: the point.
        scale: of the claim, in the combination of all.
        addresses: of the columns that the claim is about, in the order of its powers.
        values: for the column at each address, sum_i M[i] z^i over the rows i.
    """

    z: Extension
    scale: Extension
    addresses: tuple[int, ...]
    values: ExtensionVector


@dataclass(frozen=True)
class OpeningClaims:
    """What is opened: combined claims, of which `samples` are given by their columns and have no terms.

    `hidden` are the random rows that hide the opening, None in a transparent proof.
    """

    combined: CombinedClaims
    samples: tuple[ColumnSample, ...] = ()
    hidden: HiddenRows | None = None

    @property
    def kernel_samples(self) -> list[tuple[Extension, Extension, list[int], ExtensionVector]]:
        """The samples as kernels take them."""
        return [(claim.z, claim.scale, list(claim.addresses), claim.values) for claim in self.samples]


class Tree(Protocol):
    """A committed matrix: its root, and leaves with the nodes that prove them."""

    @property
    def root(self) -> bytes:
        """The Merkle root, 32 bytes."""

    def open(self, leaves: list[int]) -> tuple[BaseVector, bytes]:
        """The leaves at sorted, distinct indices of the tree, and the nodes that a verifier lacks."""


TreeQuery = tuple[Tree, list[int]]
"""A tree and the indices of its leaves that are opened, sorted and distinct."""


class FoldedVector(Protocol):
    """What the column rounds leave: f' and its weights, in one process or in many."""

    def commit(self, code: CodeShape) -> Tree:
        """Commits f' as a matrix of top bits by low bits."""

    def evaluate(self, z: Extension) -> Extension:
        """sum_i f'[i] z^i."""

    def add_claims(
        self, z: Extension, coefficient: Extension, points: BaseVector, coefficients: ExtensionVector
    ) -> None:
        """Adds the weights of claims about sum_i f'[i] x^i, scaled: one at z, and some at base points."""

    def rounds(self, count: int, transcript: Transcript) -> ExtensionVector:
        """Binds `count` more variables: what was sent, two elements a round."""

    def values(self) -> ExtensionVector:
        """f'."""

    def weigh_mask(self) -> Extension:
        """<w', s> over the rows of data; s is the mask vector."""

    def add_mask(self, scale: Extension) -> None:
        """Replaces f' by f' + scale s, on the rows of data."""


@dataclass(frozen=True)
class BoundColumns:
    """What the column rounds leave: f', what was sent, two elements a round, and what is left of random rows.

    `random_rows` has f' and w' on these, k elements each; both are empty in a transparent proof.
    """

    vector: FoldedVector
    sent: ExtensionVector
    random_rows: tuple[ExtensionVector, ExtensionVector]


class Openable(Protocol):
    """Both matrices of a proof, and the trees over them and over what their columns are folded to."""

    def bind_columns(self, claims: OpeningClaims, transcript: Transcript) -> BoundColumns:
        """Runs the column rounds."""

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """Opens some trees: what `Tree.open` gives, for each."""


class LocalFoldedVector:
    """f' in this process."""

    def __init__(self, opening: Opening, mask: BaseVector, encoder: Encoder, pool: Pool) -> None:
        """`mask` has the five mask columns, none in a transparent proof."""
        self._opening, self._mask, self._encoder, self._pool = opening, mask, encoder, pool
        self._values: ExtensionVector | None = None

    def commit(self, code: CodeShape) -> Tree:
        """See `FoldedVector`."""
        return Commitment.of_extension(self.values(), code, self._encoder, self._pool)

    def evaluate(self, z: Extension) -> Extension:
        """See `FoldedVector`."""
        return self.values().evaluate(z, self._pool)

    def add_claims(
        self, z: Extension, coefficient: Extension, points: BaseVector, coefficients: ExtensionVector
    ) -> None:
        """See `FoldedVector`."""
        self._opening.add_claims(ExtensionVector([z]), ExtensionVector([coefficient]), self._pool)
        self._opening.add_base_claims(points, coefficients, self._pool)

    def rounds(self, count: int, transcript: Transcript) -> ExtensionVector:
        """See `FoldedVector`."""
        self._values = None
        sent, _ = self._opening.rounds(count, transcript, self._pool)
        return sent

    def values(self) -> ExtensionVector:
        """See `FoldedVector`; remembered until the next round, since it is asked for twice."""
        if self._values is None:
            self._values = self._opening.values()
        return self._values

    def weigh_mask(self) -> Extension:
        """See `FoldedVector`."""
        return self._opening.weigh(self._mask, self._pool)

    def add_mask(self, scale: Extension) -> None:
        """See `FoldedVector`."""
        self._values = None
        self._opening.add(self._mask, scale, self._pool)


class LocalMatrices:
    """Both matrices in this process."""

    def __init__(self, matrices: Sequence[BaseVector], layout: Layout, encoder: Encoder, pool: Pool) -> None:
        """`matrices` are the committed ones, column by column, mask columns last."""
        self._matrices, self._layout, self._encoder, self._pool = list(matrices), layout, encoder, pool

    def bind_columns(self, claims: OpeningClaims, transcript: Transcript) -> BoundColumns:
        """See `Openable`."""
        layout, combined = self._layout, claims.combined
        opening, sent, _ = Opening.columns(
            self._matrices,
            list(layout.order),
            layout.log_rows,
            combined.terms(layout.cube_blocks),
            claims.kernel_samples,
            None if claims.hidden is None else claims.hidden.of_witness,
            combined.value,
            transcript,
            self._pool,
        )
        witness = self._matrices[-1]
        mask = witness[layout.columns[Matrix.WITNESS] << layout.log_rows :]
        vector = LocalFoldedVector(opening, mask, self._encoder, self._pool)
        return BoundColumns(vector, sent, opening.random_rows())

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """See `Openable`."""
        return [tree.open(leaves) for tree, leaves in asked]


@timed("opening", "proving")
def prove_opening(
    schedule: Schedule,
    trees: Sequence[Tree],
    openable: Openable,
    claims: OpeningClaims,
    transcript: Transcript,
) -> tuple[OpeningProof, MaskedOpening | None]:
    """Proves the claims about the matrices in `trees`: the weights', if committed, and the witness's.

    The argument is WHIR (eprint 2024/1586, Section 5); `verify_opening_proof` is the other side.
    """
    bound = openable.bind_columns(claims, transcript)
    vector, masked = bound.vector, None if claims.hidden is None else _mask(bound, claims.hidden, transcript)
    rounds: list[RoundProof] = []
    last: InitialCode | Code = schedule.initial
    asked: list[TreeQuery] = []
    for code in schedule.rounds:
        tree = vector.commit(tree_shapes(code)[0])
        transcript.absorb("opening/root", tree.root)
        if not rounds and masked is not None:
            transcript.absorb_extension("opening/tail", masked.tail)
        z = transcript.challenge("opening/out-of-domain")
        answer = vector.evaluate(z)
        transcript.absorb_extension("opening/answer", ExtensionVector([answer]))
        positions = draw_positions(last, transcript)
        asked += _leaves(last, trees, positions)
        gamma, powers = combination(transcript, len(positions))
        vector.add_claims(z, gamma, query_points(last, positions), powers)
        rounds.append(RoundProof(tree.root, answer, vector.rounds(code.log_columns, transcript)))
        last, trees = code, [tree]
    if not rounds and masked is not None:
        transcript.absorb_extension("opening/tail", masked.tail)
    final = vector.values()
    transcript.absorb_extension("opening/final", final)
    asked += _leaves(last, trees, draw_positions(last, transcript))
    final_rounds = vector.rounds(schedule.final_log, transcript)
    leaves = tuple(Leaves(rows, nodes) for rows, nodes in openable.open_trees(asked))
    return OpeningProof(bound.sent, tuple(rounds), final, final_rounds, leaves), masked


def _mask(bound: BoundColumns, hidden: HiddenRows, transcript: Transcript) -> MaskedOpening:
    """Masks f': F = f' + epsilon s takes its place, with a claim that both sides derive from <w', s>."""
    (values, weights), mask = bound.random_rows, hidden.of_mask
    product = bound.vector.weigh_mask() + weights.dot(mask)
    transcript.absorb_extension("mask/sigma", ExtensionVector([product]))
    epsilon = transcript.challenge("mask/epsilon")
    bound.vector.add_mask(epsilon)
    return MaskedOpening(product, values.plus(mask.scaled(epsilon)))


def _leaves(code: InitialCode | Code, trees: Sequence[Tree], positions: list[int]) -> list[TreeQuery]:
    """Each tree of a code with the leaves that hold the positions."""
    return [
        (tree, queries(positions, shape).leaves) for tree, shape in zip(trees, tree_shapes(code), strict=True)
    ]
