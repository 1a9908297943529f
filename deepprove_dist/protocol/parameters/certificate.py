"""The schedule of a certificate: an opening over the weights of two epochs and a witness without tensors.

It has the key's sizes, and at most the key's queries into the initial code. The budget sets rows aside for
those. Its later rounds may have more queries than the key's.
"""

from __future__ import annotations

from deepprove_dist.canonical import replace
from deepprove_dist.errors import SecurityError

from .cost import most_bytes
from .initial_code import InitialCode
from .matrix_code import MASK_COLUMNS, MAX_QUERIES, MatrixCode
from .queries import Requery, with_best_queries
from .schedule import Schedule
from .security import require_security
from .shape import Lookups, PointClaims, ProtocolShape, SumcheckInstances

MAX_VARIABLES = 64
"""More than the coordinates of any tensor."""


def certificate_shape(tensors: int, variables: int) -> ProtocolShape:
    """The counts of a certificate for tensors of weights of at most `variables` coordinates: no products."""
    return ProtocolShape(
        public=PointClaims(tensors, variables),
        linear=PointClaims(0, 0),
        sumcheck=SumcheckInstances(0, 0, 0, 0, 0),
        lookups=Lookups(0, 0, 0),
        claims=tensors,
    )


def certificate_schedule(key: Schedule, shape: ProtocolShape) -> Schedule:
    """The schedule of the shortest certificate for a hiding key that commits its weights.

    Raises SecurityError where the key's queries do not reach its level.
    """

    def requery(code: InitialCode, queries: int) -> InitialCode | None:
        try:
            return _code(key.initial, queries) if queries <= key.initial.queries else None
        except SecurityError:
            return None

    initial = _code(key.initial, key.initial.queries)
    return with_best_queries(replace(key, initial=initial), shape, requery)


def certifiable(schedule: Schedule, shape: ProtocolShape, requery: Requery) -> Schedule:
    """A key's schedule with as many more queries as its certificates need: they have a few more random rows.

    `shape` is that of its proofs. Raises SecurityError where so many queries do not fit.
    """
    if schedule.initial.proofs is None:
        return schedule
    # A tensor of weights is in one claim at least.
    certified = certificate_shape(shape.claims, MAX_VARIABLES)
    while not _has_certificate(schedule, certified):
        initial = requery(schedule.initial, schedule.initial.queries + 1)
        if initial is None:
            raise SecurityError(f"certificates need more than {schedule.initial.queries} queries")
        schedule = replace(schedule, initial=initial)
    return schedule


def require_certificate(key: Schedule, schedule: Schedule, shape: ProtocolShape) -> None:
    """Raises SecurityError unless a certificate's schedule has the key's sizes and level, and its queries."""
    queries = schedule.initial.queries
    if len(schedule.rounds) != len(key.rounds):
        raise SecurityError(f"{len(schedule.rounds)} rounds, where the key has {len(key.rounds)}")
    if queries > key.initial.queries:
        raise SecurityError(f"{queries} queries, where the key sets rows of {key.initial.queries} aside")
    counts = zip(key.rounds, schedule.rounds, strict=True)
    rounds = tuple(replace(code, queries=other.queries) for code, other in counts)
    if schedule != replace(key, initial=_code(key.initial, queries), rounds=rounds):
        raise SecurityError("the schedule is for other sizes than the key's")
    require_security(schedule, shape)


def most_certificate_bytes(key: Schedule, shape: ProtocolShape) -> int:
    """Bytes of an opening that no certificate exceeds, whatever queries its later rounds have."""
    rounds = tuple(replace(code, queries=MAX_QUERIES) for code in key.rounds)
    initial = _code(key.initial, key.initial.queries)
    return most_bytes(replace(key, initial=initial, rounds=rounds), shape)


def _has_certificate(key: Schedule, shape: ProtocolShape) -> bool:
    try:
        certificate_schedule(key, shape)
    except SecurityError:
        return False
    return True


def _code(code: InitialCode, queries: int) -> InitialCode:
    """The initial code for so many queries. Raises SecurityError where its random rows do not fit."""
    (weights,) = (matrix for matrix in code.matrices if matrix.matrix == "weights")
    columns = MASK_COLUMNS
    while columns <= (2 * weights.columns + columns - 1).bit_length():
        columns += 1
    witness = MatrixCode("witness", columns, code.witness_log_group)
    matrices = (replace(weights, matrix="anchor"), weights, witness)
    return replace(code, queries=queries, matrices=matrices)
