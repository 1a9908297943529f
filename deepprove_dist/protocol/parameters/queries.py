"""How many queries each code gets: as few proof bytes as the security level allows.

The level bounds the sum of all codes' errors, so that a query is worth most where it lowers the sum most for
each byte that it adds. From the least counts that any solution can have, queries are added greedily by that
measure; then those that the final slack makes needless are taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import fsum

from deepprove_dist.errors import SecurityError

from .cost import best_log_group, proof_bytes
from .proximity import MIN_LIST_PARAMETER
from .schedule import MAX_QUERIES, Code, InitialCode, Schedule
from .security import (
    SECURITY_BITS,
    error_terms,
    list_parameter,
    opening_error,
    require_security,
    total_bits,
)
from .shape import ProtocolShape

MARGIN_BITS = 1e-4
"""What a new schedule has beyond the level: far more than logarithms differ between machines."""


@lru_cache(maxsize=1 << 14)
def least_queries(code: InitialCode | Code, bits: float) -> int:
    """The fewest queries at which folding and querying the code errs by at most 2^-bits.

    Raises SecurityError where no number of queries is enough.
    """
    limit = 2.0**-bits
    if opening_error(code, MAX_QUERIES, MIN_LIST_PARAMETER) <= limit:
        # A query gives less than log_inverse_rate / 2 bits, its limit for large m.
        for queries in range(max(1, int(2 * bits / code.log_inverse_rate)), MAX_QUERIES + 1):
            if opening_error(code, queries, list_parameter(code, queries)) <= limit:
                return queries
    raise SecurityError(
        f"a code of 2^{code.log_rows} rows and rate 2^-{code.log_inverse_rate} does not reach {bits} bits"
    )


def with_best_queries(schedule: Schedule, shape: ProtocolShape) -> Schedule:
    """The schedule with the query counts, and the groups of the initial trees, that make its proof shortest.

    Raises SecurityError where no counts reach SECURITY_BITS.
    """
    most = _with_queries(schedule, [MAX_QUERIES] * len(schedule.codes))
    require_security(most, shape)
    least = [least_queries(code, SECURITY_BITS) for code in schedule.codes]
    schedule = _with_queries(schedule, least)
    while not _is_enough(schedule, shape):
        error, size = _error(schedule, shape), proof_bytes(schedule, shape)
        schedule = max(
            _changed(schedule, 1),
            # In a small tree one more row can even save siblings: such a query is as good as free.
            key=lambda longer: (error - _error(longer, shape)) / max(proof_bytes(longer, shape) - size, 1),
        )
    while shorter := [candidate for candidate in _changed(schedule, -1) if _is_enough(candidate, shape)]:
        schedule = min(shorter, key=lambda candidate: proof_bytes(candidate, shape))
    return replace(schedule, initial=with_best_groups(schedule.initial))


def with_best_groups(code: InitialCode) -> InitialCode:
    """The code with the Merkle leaves of its trees grouped for the fewest bytes."""
    weight_log_group, witness_log_group = (
        best_log_group(code.log_length, columns, code.queries) if columns else 0
        for columns in (code.weight_columns, code.witness_columns)
    )
    return replace(code, weight_log_group=weight_log_group, witness_log_group=witness_log_group)


def _changed(schedule: Schedule, step: int) -> Iterator[Schedule]:
    queries = [code.queries for code in schedule.codes]
    for index, count in enumerate(queries):
        if 1 <= count + step <= MAX_QUERIES:
            yield _with_queries(schedule, [*queries[:index], count + step, *queries[index + 1 :]])


def _with_queries(schedule: Schedule, queries: list[int]) -> Schedule:
    rounds = zip(schedule.rounds, queries[1:], strict=True)
    return Schedule(
        replace(schedule.initial, queries=queries[0]),
        tuple(replace(code, queries=count) for code, count in rounds),
    )


def _is_enough(schedule: Schedule, shape: ProtocolShape) -> bool:
    return total_bits(error_terms(schedule, shape)) >= SECURITY_BITS + MARGIN_BITS


def _error(schedule: Schedule, shape: ProtocolShape) -> float:
    return fsum(2.0**-term.bits for term in error_terms(schedule, shape))
