"""How many queries each code gets: as few proof bytes as the security level allows.

The level bounds the sum of all codes' errors. So a query is worth most where it lowers the sum most for each
byte that it adds. The search starts from the least counts that any solution can have. Queries are added
greedily by that measure. Then those that the final slack makes needless are taken away.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from math import fsum, pow

from deepprove_dist.canonical import replace
from deepprove_dist.errors import SecurityError

from .cost import best_log_group, proof_bytes
from .initial_code import MAX_QUERIES, InitialCode
from .proximity import MIN_LIST_PARAMETER, Johnson, UniqueDecoding
from .regimes import best_regime, opening_error
from .schedule import Code, Schedule
from .security import error_terms, require_security, total_bits
from .shape import ProtocolShape

MARGIN_BITS = 1e-4
"""What a new schedule has beyond the level: far more than logarithms differ between machines."""

NEAR = 16
"""Counts that are tried one by one before the search halves what remains."""

STEPS = tuple(1 << log for log in range(MAX_QUERIES.bit_length()))
NOTICEABLE = 1e-3
"""The share of the error by which a further query lowers it, or is not worth its bytes."""


@lru_cache(maxsize=1 << 14)
def least_queries(code: InitialCode | Code, bits: float) -> int:
    """The fewest queries at which folding and querying the code errs by at most 2^-bits.

    Raises SecurityError where no number of queries is enough.
    """
    limit = pow(2.0, -bits)
    # The smallest m has the smallest folding error: where that is too large, no search for m is needed.
    is_johnson = opening_error(code, MAX_QUERIES, Johnson(MIN_LIST_PARAMETER)) <= limit

    def is_enough(queries: int) -> bool:
        regime = best_regime(code, queries) if is_johnson else UniqueDecoding()
        return opening_error(code, queries, regime) <= limit

    # A query gives less than log_inverse_rate / 2 bits. In the Johnson regime it gives little less.
    least = max(1, int(2 * bits / code.log_inverse_rate))
    near = range(least, min(least + NEAR, MAX_QUERIES + 1))
    if (queries := next(filter(is_enough, near), None)) is not None:
        return queries
    queries = near.stop + bisect_left(range(near.stop, MAX_QUERIES + 1), True, key=is_enough)
    if queries <= MAX_QUERIES:
        return queries
    raise SecurityError(
        f"a code of 2^{code.log_rows} rows and rate 2^-{code.log_inverse_rate} does not reach {bits} bits"
    )


def with_best_queries(schedule: Schedule, shape: ProtocolShape) -> Schedule:
    """The schedule with the query counts, and the groups of the initial trees, that make its proof shortest.

    Raises SecurityError where no counts reach the schedule's level.
    """
    require_security(with_most_queries(schedule), shape)
    least = [least_queries(code, schedule.security_bits) for code in schedule.codes]
    schedule = _with_queries(schedule, least)
    while not _is_enough(schedule, shape):
        schedule = _longer(schedule, shape)
    while shorter := [candidate for candidate in _changed(schedule, [-1]) if _is_enough(candidate, shape)]:
        schedule = min(shorter, key=lambda candidate: proof_bytes(candidate, shape))
    return replace(schedule, initial=with_best_groups(schedule.initial))


def with_most_queries(schedule: Schedule) -> Schedule:
    """The schedule with as many queries as are allowed: no counts are more secure."""
    return _with_queries(schedule, [MAX_QUERIES] * len(schedule.codes))


def with_best_groups(code: InitialCode) -> InitialCode:
    """The code with the Merkle leaves of its trees grouped for the fewest bytes."""
    groups = [best_log_group(code.log_length, columns, code.queries) for columns, _ in code.trees]
    matrices = zip(code.matrices, groups, strict=True)
    return replace(code, matrices=tuple(replace(matrix, log_group=group) for matrix, group in matrices))


def _longer(schedule: Schedule, shape: ProtocolShape) -> Schedule:
    """The schedule with the further queries of one code that lower the error most for each byte.

    One query more may lower it nowhere, where folding in the Johnson regime is in the way. Many more can
    lower it: with them unique decoding is better.
    """
    error, size = _error(schedule, shape), proof_bytes(schedule, shape)

    def gain(longer: Schedule) -> float:
        # In a small tree one more row can even save siblings: such a query is as good as free.
        return (error - _error(longer, shape)) / max(proof_bytes(longer, shape) - size, 1)

    longer = max(_changed(schedule, [1]), key=gain)
    if error - _error(longer, shape) >= NOTICEABLE * error:
        return longer
    return max(_changed(schedule, STEPS), key=gain)


def _changed(schedule: Schedule, steps: Iterable[int]) -> Iterator[Schedule]:
    queries = [code.queries for code in schedule.codes]
    for step, (index, count) in product(steps, enumerate(queries)):
        if 1 <= count + step <= MAX_QUERIES:
            yield _with_queries(schedule, [*queries[:index], count + step, *queries[index + 1 :]])


def _with_queries(schedule: Schedule, queries: list[int]) -> Schedule:
    rounds = zip(schedule.rounds, queries[1:], strict=True)
    return replace(
        schedule,
        initial=replace(schedule.initial, queries=queries[0]),
        rounds=tuple(replace(code, queries=count) for code, count in rounds),
    )


def _is_enough(schedule: Schedule, shape: ProtocolShape) -> bool:
    return total_bits(error_terms(schedule, shape)) >= schedule.security_bits + MARGIN_BITS


def _error(schedule: Schedule, shape: ProtocolShape) -> float:
    return fsum(2.0**-term.bits for term in error_terms(schedule, shape))
