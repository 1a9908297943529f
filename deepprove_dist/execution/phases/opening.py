"""The opening by parts: each worker has its rows of all matrices, and of what the rounds make of them.

The column rounds run on all rows, several at a time by Gram matrices. While f' is large, it stays with the
workers. Its commitment is made by parts; for this every worker needs all of f' once. Its rounds go on by
parts. Then it is gathered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.commitments import SharedTree, commit_folded, commit_rows, open_trees
from deepprove_dist.execution.phases.parts import by_part
from deepprove_dist.execution.phases.policy import Policy
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    BlockDiagonalTerm,
    ClaimTerms,
    CodeShape,
    ColumnSumcheck,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    PartialOpening,
    Pool,
    PowersTerm,
    ProductTerm,
    Transcript,
    gram_rounds,
    scaled_terms,
)
from deepprove_dist.protocol.claims.claim import ClaimTerm
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.opening.codes import add_all
from deepprove_dist.protocol.opening.prove import (
    BoundColumns,
    LocalFoldedVector,
    OpeningClaims,
    Tree,
    TreeQuery,
)
from deepprove_dist.protocol.parameters import Schedule


class ProductMessage(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A `ProductTerm` of a claim."""

    coefficient: Extension
    tensor: int
    axes: tuple[AxisVector, ...]


class BlockDiagonalMessage(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A `BlockDiagonalTerm` of a claim."""

    coefficient: Extension
    tensor: int
    factors: ExtensionVector
    point: ExtensionVector


class PowersMessage(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A `PowersTerm` of a claim: the first of the matrix's columns among those of all, and their number."""

    first: int
    columns: int
    z: Extension


TermMessage: TypeAlias = ProductMessage | BlockDiagonalMessage | PowersMessage


def open_columns(
    state: WorkerState, claims: Sequence[Sequence[TermMessage]], scales: ExtensionVector
) -> None:
    """Begins the opening of some claims."""
    key, proof = state.key, state.proof
    layout = proof.instance.layout
    terms = scaled_terms(
        [ClaimTerms([_read_term(layout, term) for term in claim]) for claim in claims],
        layout.cube_blocks,
        scales,
    )
    order = list(layout.order)
    for part in key.parts:
        of_all = (key.rows.get(part), proof.hidden_rows[part], proof.rows[part])
        matrices = [rows for rows in of_all if rows is not None]
        proof.openings[part] = PartialOpening(matrices, order, layout.log_rows, terms, key.residue(part))


def weigh_mask(state: WorkerState) -> Extension:
    """The rank's share of <w', s>, s being the mask vector."""
    total = Extension(0)
    for part, opening in state.proof.openings.items():
        total += opening.weigh(state.mask(part), state.pool)
    return total


def add_mask(state: WorkerState, scale: Extension) -> None:
    """Replaces f' by f' + scale s."""
    for part, opening in state.proof.openings.items():
        opening.add(state.mask(part), scale, state.pool)


def gram(state: WorkerState, log_blocks: int) -> ExtensionVector:
    """The rank's share of the Gram matrix of 2^log_blocks blocks by the next variables."""
    return add_all([opening.gram(log_blocks, state.pool) for opening in state.proof.openings.values()])


def bind_blocks(state: WorkerState, point: ExtensionVector) -> None:
    """Binds the next variables."""
    for opening in state.proof.openings.values():
        opening.bind(point, state.pool)


def evaluate(state: WorkerState, z: Extension) -> Extension:
    """The rank's share of sum_i f'[i] z^i."""
    total = Extension(0)
    for opening in state.proof.openings.values():
        total += opening.evaluate(z, state.pool)
    return total


def add_powers(state: WorkerState, points: ExtensionVector, coefficients: ExtensionVector) -> None:
    """Adds the weights of claims at powers of points."""
    for opening in state.proof.openings.values():
        opening.add_claims(points, coefficients, state.pool)


def add_base_powers(state: WorkerState, points: BaseVector, coefficients: ExtensionVector) -> None:
    """The same at base points."""
    for opening in state.proof.openings.values():
        opening.add_base_claims(points, coefficients, state.pool)


def remaining(state: WorkerState) -> dict[int, tuple[ExtensionVector, ExtensionVector]]:
    """What remains of f' and of its weights, by part."""
    return {part: opening.remaining() for part, opening in state.proof.openings.items()}


def folded_values(state: WorkerState) -> dict[int, bytes]:
    """What remains of f', by part: as rows of the matrix that is committed next, encoded."""
    rounds = state.key.verifying.schedule.rounds
    columns = {code.log_rows + code.log_columns: 1 << code.log_columns for code in rounds}
    openings = state.proof.openings.items()
    return {part: bytes(opening.rows(columns[opening.variables], state.pool)) for part, opening in openings}


def commit_values(state: WorkerState, shares: Sequence[dict[int, bytes]], round: int) -> list[bytes]:
    """Commits f', given by the shares of all ranks; the roots of the rank's parts."""
    width = EXTENSION_DEGREE << state.key.verifying.schedule.rounds[round].log_columns
    return commit_rows(state, round, BaseVector.interleaved_bytes(by_part(shares), width))


def commit_last_values(
    state: WorkerState, shares: Sequence[dict[int, bytes]], round: int
) -> tuple[list[bytes], dict[int, tuple[ExtensionVector, ExtensionVector]]]:
    """The same, where the rest of f' and of its weights is gathered next: also gives `remaining`."""
    return commit_values(state, shares, round), remaining(state)


class SharedFoldedVector:
    """f' after the column rounds: with the workers while it is large, then here."""

    def __init__(self, group: WorkerGroup, policy: Policy, schedule: Schedule, pool: Pool) -> None:
        self._group, self._policy, self._schedule, self._pool = group, policy, schedule, pool
        self._round, self._log_size = 0, schedule.initial.log_rows
        self._local: LocalFoldedVector | None = None

    def commit(self, code: CodeShape) -> Tree:
        """See `FoldedVector`; the rest is gathered once it is small."""
        folded, round = self._schedule.rounds[self._round], self._round
        self._round += 1
        size = EXTENSION_DEGREE << (folded.log_columns + folded.log_length)
        shared = size >= self._policy.code_values and folded.log_rows >= self._group.assignment.log_parts
        with self._group.phase("folded commitment"):
            if not shared:
                return self._gathered().commit(code)
            if self._local is not None:
                values = self._local.values()
                roots = self._group.call_all(commit_folded, round=round, values=values)
            elif self._is_small:
                answers = self._group.all_gather(folded_values, commit_last_values, round=round)
                roots = [of_rank for of_rank, _ in answers]
                self._join([rest_of_rank for _, rest_of_rank in answers])
            else:
                roots = self._group.all_gather(folded_values, commit_values, round=round)
        return SharedTree(self._group, f"round {round}", code, roots, self._pool)

    def evaluate(self, z: Extension) -> Extension:
        """See `FoldedVector`."""
        if self._local is not None:
            return self._local.evaluate(z)
        total = Extension(0)
        with self._group.phase("row rounds"):
            for share in self._group.call_all(evaluate, z=z):
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
        self._group.defer_all(add_powers, points=one, coefficients=scale)
        self._group.defer_all(add_base_powers, points=points, coefficients=coefficients)

    def rounds(self, count: int, transcript: Transcript) -> ExtensionVector:
        """See `FoldedVector`."""
        if self._local is not None:
            return self._local.rounds(count, transcript)
        sent = []
        with self._group.phase("row rounds"):
            for log_blocks in self._blocks(count):
                values = add_all(self._group.call_all(gram, log_blocks=log_blocks))
                messages, point = gram_rounds(values, log_blocks, transcript)
                self._group.defer_all(bind_blocks, point=point)
                self._log_size -= log_blocks
                sent.append(messages)
        return ExtensionVector.from_bytes(b"".join(map(bytes, sent)))

    def values(self) -> ExtensionVector:
        """See `FoldedVector`."""
        return self._gathered().values()

    def weigh_mask(self) -> Extension:
        """See `FoldedVector`: f' is with the workers still."""
        total = Extension(0)
        with self._group.phase("row rounds"):
            for share in self._group.call_all(weigh_mask):
                total += share
        return total

    def add_mask(self, scale: Extension) -> None:
        """See `FoldedVector`: f' is with the workers still."""
        self._group.defer_all(add_mask, scale=scale)

    def _blocks(self, count: int) -> list[int]:
        return self._policy.gram_blocks(self._log_size - self._group.assignment.log_parts, count)

    @property
    def _is_small(self) -> bool:
        return self._log_size <= max(self._policy.folded_log, self._group.assignment.log_parts)

    def _gathered(self) -> LocalFoldedVector:
        if self._local is None:
            with self._group.phase("row rounds"):
                self._join(self._group.call_all(remaining))
        assert self._local is not None, "the parts were joined"
        return self._local

    def _join(self, shares: Sequence[dict[int, tuple[ExtensionVector, ExtensionVector]]]) -> None:
        parts = by_part(shares)
        f, w = ([pair[k] for pair in parts] for k in range(2))
        joined, mask = Opening.join(f, w, self._pool), BaseVector.from_bytes(b"")
        self._local = LocalFoldedVector(joined, mask, Encoder(), self._pool)


class SharedMatrices:
    """The matrices of a proof, with their rows assigned to the workers."""

    def __init__(
        self, group: WorkerGroup, policy: Policy, schedule: Schedule, layout: Layout, pool: Pool
    ) -> None:
        self._group, self._policy, self._schedule = group, policy, schedule
        self._layout, self._pool = layout, pool

    def choose_blocks(self, claims: OpeningClaims) -> int:
        """log2 of the blocks of the columns' Gram matrix; the same for all proofs of as many samples."""
        layout = self._layout
        terms, columns = (
            claims.combined.terms(layout.cube_blocks),
            len(layout.addresses),
        )
        log_parts, worth = self._group.assignment.log_parts, self._policy.round_products
        return ColumnSumcheck.log_blocks(terms, columns, layout.log_rows, log_parts, worth)

    def bind_columns(self, claims: OpeningClaims, log_blocks: int, transcript: Transcript) -> BoundColumns:
        """See `Openable`; `log_blocks` is what `choose_blocks` gives."""
        group, layout, combined = self._group, self._layout, claims.combined
        log_rows, log_parts = layout.log_rows, group.assignment.log_parts
        random = None if claims.hidden is None else claims.hidden.of_witness
        rounds = ColumnSumcheck(
            len(layout.addresses), log_rows, claims.kernel_samples, random, combined.value
        )
        messages = [[_write_term(layout, term) for term in claim.terms] for claim in combined.claims]
        with group.phase("column rounds"):
            group.defer_all(open_columns, claims=messages, scales=combined.scales)
            while True:
                values = add_all(group.call_all(gram, log_blocks=log_blocks))
                group.defer_all(bind_blocks, point=rounds.gram(values, log_blocks, transcript))
                remaining = rounds.remaining
                if remaining == 0:
                    break
                log_size = log_rows + remaining - log_parts
                log_blocks = self._policy.gram_blocks(log_size, remaining)[0]
            points, coefficients = rounds.power_weights()
            group.defer_all(add_powers, points=points, coefficients=coefficients)
        sent, _ = rounds.finish()
        vector = SharedFoldedVector(group, self._policy, self._schedule, self._pool)
        return BoundColumns(vector, sent, rounds.random_rows())

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """See `Openable`."""
        with self._group.phase("queries"):
            return open_trees(self._group, asked)


def _write_term(layout: Layout, term: ClaimTerm) -> TermMessage:
    match term:
        case ProductTerm():
            return ProductMessage(term.coefficient, term.tensor, tuple(term.axes))
        case BlockDiagonalTerm():
            return BlockDiagonalMessage(term.coefficient, term.tensor, term.factors, term.point)
        case PowersTerm():
            return PowersMessage(layout.order[term.addresses[0]], len(term.addresses), term.z)


def _read_term(layout: Layout, message: TermMessage) -> ClaimTerm:
    """A term again."""
    match message:
        case ProductMessage():
            return ProductTerm(message.coefficient, message.tensor, message.axes)
        case BlockDiagonalMessage():
            return BlockDiagonalTerm(message.coefficient, message.tensor, message.factors, message.point)
        case PowersMessage():
            addresses = layout.addresses[message.first : message.first + message.columns]
            return PowersTerm(addresses, layout.log_rows, message.z)
