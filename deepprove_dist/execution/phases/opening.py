"""The opening by parts: each worker has its rows of both matrices and of what the rounds leave of them.

The column rounds run on all rows, several at a time by Gram matrices. While f' is large it stays where it
is: its commitment is made by parts, for which every worker needs all of it once, and its rounds go on by
parts. Then it is gathered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepprove_dist.execution.phases.commitments import SharedTree, commit_rows, open_trees
from deepprove_dist.execution.policy import Policy
from deepprove_dist.execution.state import State
from deepprove_dist.execution.team import Team, by_part
from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    ColumnSumcheck,
    DyadicBlocks,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    PartialOpening,
    Transcript,
    gram_rounds,
)
from deepprove_dist.protocol.claims import (
    BlockDiagonalTerm,
    ClaimTerm,
    PowersTerm,
    ProductTerm,
    scaled_terms,
)
from deepprove_dist.protocol.layout import Layout
from deepprove_dist.protocol.opening.codes import EXTENSION_DEGREE, add_all
from deepprove_dist.protocol.opening.prove import (
    FoldedVector,
    LocalFoldedVector,
    OpeningClaims,
    Tree,
    TreeQuery,
)
from deepprove_dist.protocol.parameters import Schedule
from deepprove_dist.protocol.relations.system import Matrix


def open_columns(state: State, claims: Sequence[Sequence[Any]], scales: ExtensionVector) -> None:
    """Begins the opening of some claims."""
    key, proof = state.key, state.proof
    layout = proof.instance.layout
    columns = layout.column_boxes(Matrix.WITNESS)
    terms = scaled_terms(
        [[_read_term(columns, term) for term in own] for own in claims],
        layout.kernel_boxes,
        scales,
    )
    for part in key.parts:
        matrices = [m for m in (key.rows.get(part), proof.rows[part]) if m is not None]
        proof.openings[part] = PartialOpening(matrices, layout.log_rows, terms, key.residue(part))


def gram(state: State, log_blocks: int) -> ExtensionVector:
    """The rank's share of the Gram matrix of 2^log_blocks blocks by the next variables."""
    return add_all([own.gram(log_blocks, state.pool) for own in state.proof.openings.values()])


def bind_blocks(state: State, point: ExtensionVector) -> None:
    """Binds the next variables."""
    for own in state.proof.openings.values():
        own.bind(point, state.pool)


def evaluate(state: State, z: Extension) -> Extension:
    """The rank's share of sum_i f'[i] z^i."""
    total = Extension(0)
    for own in state.proof.openings.values():
        total += own.evaluate(z, state.pool)
    return total


def add_powers(state: State, points: ExtensionVector, coefficients: ExtensionVector) -> None:
    """Adds the weights of claims at powers of points."""
    for own in state.proof.openings.values():
        own.add_claims(points, coefficients, state.pool)


def add_base_powers(state: State, points: BaseVector, coefficients: ExtensionVector) -> None:
    """The same at base points."""
    for own in state.proof.openings.values():
        own.add_base_claims(points, coefficients, state.pool)


def remaining(state: State) -> dict[int, tuple[ExtensionVector, ExtensionVector]]:
    """What is left of f' and of its weights, by part."""
    return {part: own.remaining() for part, own in state.proof.openings.items()}


def folded_values(state: State) -> dict[int, bytes]:
    """What is left of f', by part: as rows of the matrix that is committed next, encoded."""
    rounds = state.key.verifying.schedule.rounds
    columns = {code.log_rows + code.log_columns: 1 << code.log_columns for code in rounds}
    openings = state.proof.openings.items()
    return {part: bytes(own.rows(columns[own.variables], state.pool)) for part, own in openings}


def commit_values(state: State, shares: Sequence[dict[int, bytes]], round: int) -> list[bytes]:
    """Commits f', given by the shares of all ranks; the roots of the rank's parts."""
    width = EXTENSION_DEGREE << state.key.verifying.schedule.rounds[round].log_columns
    return commit_rows(state, round, BaseVector.interleaved_bytes(by_part(shares), width))


def commit_last_values(
    state: State, shares: Sequence[dict[int, bytes]], round: int
) -> tuple[list[bytes], dict[int, tuple[ExtensionVector, ExtensionVector]]]:
    """The same when what is left of f' and of its weights is then gathered: also what `remaining` says."""
    return commit_values(state, shares, round), remaining(state)


class SharedFoldedVector:
    """f' after the column rounds: with the workers while it is large, then here."""

    def __init__(self, team: Team, policy: Policy, schedule: Schedule) -> None:
        self._team, self._policy, self._schedule = team, policy, schedule
        self._round, self._log_size = 0, schedule.initial.log_rows
        self._local: LocalFoldedVector | None = None

    def commit(self, code: CodeShape) -> Tree:
        """See `FoldedVector`; what is left is gathered once it is small."""
        folded, round = self._schedule.rounds[self._round], self._round
        self._round += 1
        size = EXTENSION_DEGREE << (folded.log_columns + folded.log_length)
        shared = size >= self._policy.code_values and folded.log_rows >= self._team.deal.log_parts
        with self._team.phase("folded commitment"):
            if not shared:
                return self._gathered().commit(code)
            if self._local is not None:
                values = self._local.values()
                roots = self._team.call_all("commit_folded", round=round, values=values)
            elif self._is_small:
                answers = self._team.exchange("folded_values", "commit_last_values", round=round)
                roots = [own for own, _ in answers]
                self._join([left for _, left in answers])
            else:
                roots = self._team.exchange("folded_values", "commit_values", round=round)
        return SharedTree(self._team, f"round {round}", code, roots)

    def evaluate(self, z: Extension) -> Extension:
        """See `FoldedVector`."""
        if self._local is not None:
            return self._local.evaluate(z)
        total = Extension(0)
        with self._team.phase("row rounds"):
            for share in self._team.call_all("evaluate", z=z):
                total += share
        return total

    def add_claims(
        self, z: Extension, coefficient: Extension, points: BaseVector, coefficients: ExtensionVector
    ) -> None:
        """See `FoldedVector`."""
        if self._local is not None:
            self._local.add_claims(z, coefficient, points, coefficients)
            return
        one, scale = ExtensionVector([z]), ExtensionVector([coefficient])
        self._team.defer_all("add_powers", points=one, coefficients=scale)
        self._team.defer_all("add_base_powers", points=points, coefficients=coefficients)

    def rounds(self, count: int, transcript: Transcript) -> ExtensionVector:
        """See `FoldedVector`."""
        if self._local is not None:
            return self._local.rounds(count, transcript)
        sent = []
        with self._team.phase("row rounds"):
            for log_blocks in self._blocks(count):
                values = add_all(self._team.call_all("gram", log_blocks=log_blocks))
                own, point = gram_rounds(values, log_blocks, transcript)
                self._team.defer_all("bind_blocks", point=point)
                self._log_size -= log_blocks
                sent.append(own)
        return ExtensionVector.from_bytes(b"".join(map(bytes, sent)))

    def values(self) -> ExtensionVector:
        """See `FoldedVector`."""
        return self._gathered().values()

    def _blocks(self, count: int) -> list[int]:
        return self._policy.gram_blocks(self._log_size - self._team.deal.log_parts, count)

    @property
    def _is_small(self) -> bool:
        return self._log_size <= max(self._policy.folded_log, self._team.deal.log_parts)

    def _gathered(self) -> LocalFoldedVector:
        if self._local is None:
            with self._team.phase("row rounds"):
                self._join(self._team.call_all("remaining"))
        assert self._local is not None, "what is left was joined"
        return self._local

    def _join(self, shares: Sequence[dict[int, tuple[ExtensionVector, ExtensionVector]]]) -> None:
        parts = by_part(shares)
        f, w = ([pair[k] for pair in parts] for k in range(2))
        pool = self._team.pool
        self._local = LocalFoldedVector(Opening.join(f, w, pool), Encoder(), pool)


class SharedMatrices:
    """Both matrices of a proof, with their rows dealt to the workers."""

    def __init__(self, team: Team, policy: Policy, schedule: Schedule, layout: Layout) -> None:
        self._team, self._policy, self._schedule, self._layout = team, policy, schedule, layout

    def choose_blocks(self, claims: OpeningClaims) -> int:
        """log2 of the blocks of the columns' Gram matrix; the same for all proofs of as many samples."""
        layout = self._layout
        terms, columns = (
            claims.combined.terms(layout.kernel_boxes),
            layout.weight_columns + layout.witness_columns,
        )
        log_parts, worth = self._team.deal.log_parts, self._policy.round_products
        return ColumnSumcheck.log_blocks(terms, columns, layout.log_rows, log_parts, worth)

    def bind_columns(
        self, claims: OpeningClaims, log_blocks: int, transcript: Transcript
    ) -> tuple[FoldedVector, ExtensionVector]:
        """See `Openable`; `log_blocks` is what `choose_blocks` gives."""
        team, layout, combined = self._team, self._layout, claims.combined
        log_rows, log_parts = layout.log_rows, team.deal.log_parts
        columns = layout.weight_columns + layout.witness_columns
        rounds = ColumnSumcheck(columns, log_rows, claims.kernel_samples, combined.value)
        messages = [[_write_term(term) for term in claim.terms] for claim in combined.claims]
        with team.phase("column rounds"):
            team.defer_all("open_columns", claims=messages, scales=combined.scales)
            while True:
                values = add_all(team.call_all("gram", log_blocks=log_blocks))
                team.defer_all("bind_blocks", point=rounds.gram(values, log_blocks, transcript))
                remaining = rounds.remaining
                if remaining == 0:
                    break
                log_size = log_rows + remaining - log_parts
                log_blocks = self._policy.gram_blocks(log_size, remaining)[0]
            points, coefficients = rounds.power_weights()
            team.defer_all("add_powers", points=points, coefficients=coefficients)
        sent, _ = rounds.finish()
        return SharedFoldedVector(team, self._policy, self._schedule), sent

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """See `Openable`."""
        with self._team.phase("queries"):
            return open_trees(self._team, asked)


def _write_term(term: ClaimTerm) -> list[Any]:
    match term:
        case ProductTerm():
            return [term.coefficient, term.tensor, list(term.axes)]
        case BlockDiagonalTerm():
            return [term.coefficient, term.tensor, term.factors, term.point]
        case PowersTerm():
            return [term.z]


def _read_term(columns: DyadicBlocks, message: list[Any]) -> ClaimTerm:
    """A term again; those at powers are of the witness's columns."""
    match message:
        case [coefficient, tensor, axes]:
            return ProductTerm(coefficient, tensor, tuple(axes))
        case [coefficient, tensor, factors, point]:
            return BlockDiagonalTerm(coefficient, tensor, factors, point)
    return PowersTerm(columns, message[0])
