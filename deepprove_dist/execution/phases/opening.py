"""The opening by parts: each worker has its rows of both matrices and of what the rounds leave of them.

The column rounds run on all rows. While f' is large it stays where it is: its commitment is made by parts,
for which every worker needs all of it once, and its rounds go on by parts. Then it is gathered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepprove_dist.execution.phases.commitments import SharedTree, commit_folded
from deepprove_dist.execution.policy import Policy
from deepprove_dist.execution.state import State as Seat
from deepprove_dist.execution.team import Team, by_part
from deepprove_dist.kernels import (
    BaseVector,
    Boxes,
    CodeShape,
    ColumnRounds,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Opening,
    PartialOpening,
    Transcript,
)
from deepprove_dist.protocol.claims import BoxwiseTerm, ClaimTerm, PowersTerm, ProductTerm, scaled_terms
from deepprove_dist.protocol.opening.codes import EXTENSION_DEGREE, add_all
from deepprove_dist.protocol.opening.prove import BatchedClaims, LocalState, State, Tree
from deepprove_dist.protocol.opening.prove import ColumnRounds as RunColumns
from deepprove_dist.protocol.parameters import Schedule
from deepprove_dist.protocol.relations.system import Matrix

NOTHING = ExtensionVector.from_bytes(b"")
ROUND = 1 << 21
"""Multiplications that take as long as a round between machines, about a millisecond."""


def gram(
    seat: Seat, claims: Sequence[Sequence[Any]], scales: ExtensionVector, log_blocks: int
) -> ExtensionVector:
    """Begins the opening of some claims; the seat's share of the Gram matrix of 2^log_blocks blocks."""
    key, proof = seat.key, seat.proof
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
    return add_all([own.gram(log_blocks, seat.pool) for own in proof.openings.values()])


def bind_blocks(seat: Seat, point: ExtensionVector) -> ExtensionVector:
    """Binds the blocks; the seat's share of the next sums."""
    return add_all([own.bind(point, seat.pool) for own in seat.proof.openings.values()])


def fold(seat: Seat, r: Extension) -> ExtensionVector:
    """Binds a variable; the seat's share of the next sums."""
    return add_all([own.fold(r, seat.pool) for own in seat.proof.openings.values()])


def evaluate(seat: Seat, z: Extension) -> Extension:
    """The seat's share of sum_i f'[i] z^i."""
    total = Extension(0)
    for own in seat.proof.openings.values():
        total += own.evaluate(z, seat.pool)
    return total


def add_claims(
    seat: Seat,
    points: ExtensionVector,
    coefficients: ExtensionVector,
    base_points: BaseVector,
    base_coefficients: ExtensionVector,
    bound: Extension | None,
) -> ExtensionVector:
    """Adds the weights of claims at powers of points, the next variable being bound first if it is to be.

    The seat's share of the next sums.
    """
    for own in seat.proof.openings.values():
        if bound is not None:
            own.fold(bound, seat.pool)
        own.add_claims(points, coefficients, seat.pool)
        own.add_base_claims(base_points, base_coefficients, seat.pool)
    return add_all([own.sums(seat.pool) for own in seat.proof.openings.values()])


def remaining(seat: Seat, bound: Extension | None) -> dict[int, tuple[ExtensionVector, ExtensionVector]]:
    """What is left of f' and of its weights, by part, the next variable being bound first if it is to be."""
    if bound is not None:
        fold(seat, bound)
    return {part: own.remaining() for part, own in seat.proof.openings.items()}


def folded_values(seat: Seat) -> dict[int, ExtensionVector]:
    """What is left of f', by part."""
    return {part: own.remaining()[0] for part, own in seat.proof.openings.items()}


def commit_values(seat: Seat, shares: Sequence[dict[int, ExtensionVector]], round: int) -> list[bytes]:
    """Commits f', given by the shares of all seats; the roots of the seat's parts."""
    return commit_folded(seat, round, ExtensionVector.interleaved(by_part(shares)))


class SharedState:
    """f' after the column rounds: with the workers while it is large, then here."""

    def __init__(self, team: Team, policy: Policy, schedule: Schedule, claim: Extension) -> None:
        self._team, self._policy, self._schedule = team, policy, schedule
        self._claim, self._pool, self._round = claim, team.pool, 0
        self._log_size = schedule.initial.log_rows
        self._local: LocalState | None = None
        self._sums: ExtensionVector | None = None
        # The last challenge of some rounds, which workers are told with the next call.
        self._bound: Extension | None = None

    def add_powers(self, points: ExtensionVector, scales: ExtensionVector, bound: Extension | None) -> None:
        """Adds weights at powers whose claims are in the running claim already."""
        self._bound = bound
        with self._team.phase("column rounds"):
            self._add(points, scales, BaseVector.from_bytes(b""), NOTHING)
        self._gather_if_small()

    def commit(self, code: CodeShape) -> Tree:
        """See `State`."""
        folded = self._schedule.rounds[self._round]
        name, number = f"round {self._round}", self._round
        self._round += 1
        large = EXTENSION_DEGREE << (folded.log_columns + folded.log_length) >= self._policy.code_values
        shareable = code.height >= self._team.deal.log_parts
        with self._team.phase("folded commitment"):
            if self._local is None:
                self._tell()
                if not (large and shareable):
                    shares = by_part(self._team.call_all("folded_values"))
                    values = ExtensionVector.interleaved(shares)
                    return Commitment.of_extension(values, code, Encoder(), self._pool)
                roots = self._team.exchange("folded_values", "commit_values", round=number)
            elif large and shareable:
                roots = self._team.call_all("commit_folded", round=number, values=self._local.values())
            else:
                return self._local.commit(code)
        return SharedTree(self._team, name, code, roots)

    def evaluate(self, z: Extension) -> Extension:
        """See `State`."""
        if self._local is not None:
            return self._local.evaluate(z)
        total = Extension(0)
        with self._team.phase("row rounds"):
            for share in self._team.call_all("evaluate", z=z):
                total += share
        return total

    def add_claims(
        self,
        out_of_domain: tuple[Extension, Extension, Extension],
        points: BaseVector,
        coefficients: ExtensionVector,
        values: ExtensionVector,
    ) -> None:
        """See `State`."""
        if self._local is not None:
            self._local.add_claims(out_of_domain, points, coefficients, values)
            return
        z, coefficient, value = out_of_domain
        self._claim += coefficient * value + coefficients.dot(values)
        with self._team.phase("row rounds"):
            self._add(ExtensionVector([z]), ExtensionVector([coefficient]), points, coefficients)

    def rounds(self, count: int, transcript: Transcript) -> tuple[ExtensionVector, ExtensionVector]:
        """See `State`: what is left is gathered as soon as it is small."""
        if self._local is not None:
            return self._local.rounds(count, transcript)
        rounds = ColumnRounds(1 << count, 0, [], self._claim)
        with self._team.phase("row rounds"):
            for _ in range(count):
                self._tell()
                self._bound = rounds.send(self._expected_sums(), transcript)
                self._log_size -= 1
        sent, point, self._claim = rounds.finish()
        self._gather_if_small()
        return sent, point

    def values(self) -> ExtensionVector:
        """See `State`."""
        return self._gathered().values()

    def _expected_sums(self) -> ExtensionVector:
        assert self._sums is not None, "claims were added, or a variable bound"
        return self._sums

    def _add(
        self,
        points: ExtensionVector,
        coefficients: ExtensionVector,
        base_points: BaseVector,
        base_coefficients: ExtensionVector,
    ) -> None:
        shares = self._team.call_all(
            "add_claims",
            points=points,
            coefficients=coefficients,
            base_points=base_points,
            base_coefficients=base_coefficients,
            bound=self._bound,
        )
        self._sums, self._bound = add_all(shares), None

    def _tell(self) -> None:
        """Binds what workers have not been told to bind."""
        if self._bound is not None:
            self._sums, self._bound = add_all(self._team.call_all("fold", r=self._bound)), None

    def _gather_if_small(self) -> None:
        if self._log_size < max(self._policy.folded_log, self._team.deal.log_parts):
            self._gathered()

    def _gathered(self) -> LocalState:
        if self._local is None:
            with self._team.phase("row rounds"):
                parts = by_part(self._team.call_all("remaining", bound=self._bound))
            f, w = ([pair[k] for pair in parts] for k in range(2))
            self._local = LocalState(Opening.join(f, w, self._claim, self._pool), Encoder(), self._pool)
        return self._local


def shared_columns(
    team: Team, policy: Policy, schedule: Schedule, columns: int, boxes: Sequence[Boxes]
) -> RunColumns:
    """Column rounds over the rows of all workers; `boxes` are those of each tensor."""

    def run(claims: BatchedClaims, transcript: Transcript) -> tuple[State, ExtensionVector, ExtensionVector]:
        log_rows = schedule.initial.log_rows
        rounds = ColumnRounds(columns, log_rows, claims.powers, claims.value)
        terms = claims.terms(boxes)
        log_blocks = ColumnRounds.log_blocks(terms, columns, log_rows, team.deal.log_parts, ROUND)
        messages = [[_write_term(term) for term in claim.terms] for claim in claims.claims]
        with team.phase("column rounds"):
            shares = team.call_all("gram", claims=messages, scales=claims.scales, log_blocks=log_blocks)
            point = rounds.gram(add_all(shares), transcript)
            sums = add_all(team.call_all("bind_blocks", point=point))
            bound = None
            while rounds.remaining > 0:
                if bound is not None:
                    sums = add_all(team.call_all("fold", r=bound))
                bound = rounds.send(sums, transcript)
        sent, point, claim = rounds.finish()
        state = SharedState(team, policy, schedule, claim)
        state.add_powers(*rounds.power_weights(), bound)
        return state, sent, point

    return run


def _write_term(term: ClaimTerm) -> list[Any]:
    match term:
        case ProductTerm():
            return [term.coefficient, term.tensor, list(term.axes)]
        case BoxwiseTerm():
            return [term.coefficient, term.tensor, term.factors, term.point]
        case PowersTerm():
            return [term.z]


def _read_term(columns: Boxes, message: list[Any]) -> ClaimTerm:
    """A term again; those at powers are of the witness's columns."""
    match message:
        case [coefficient, tensor, axes]:
            return ProductTerm(coefficient, tensor, tuple(axes))
        case [coefficient, tensor, factors, point]:
            return BoxwiseTerm(coefficient, tensor, factors, point)
    return PowersTerm(columns, message[0])
