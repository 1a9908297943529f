"""How many queries each code gets: as few proof bytes as the security level allows.

The level bounds the sum of all codes' errors. So a query is worth most where it lowers the sum most for each
byte that it adds. The search starts from the least counts that any solution can have. Queries are added
greedily by that measure. Then those that the final slack makes needless are taken away.

The initial code of a hiding key changes with its queries: they need random rows, tails, and so columns. The
function that is given for it says how, and gives None where so many queries do not fit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import product
from math import fsum, pow

from deepprove_dist.canonical import replace
from deepprove_dist.errors import SecurityError

from .cost import best_log_group, proof_bytes
from .initial_code import InitialCode
from .matrix_code import MAX_QUERIES
from .proximity import MIN_LIST_PARAMETER, Johnson, UniqueDecoding
from .regimes import best_regime, opening_error
from .schedule import Code, Schedule
from .security import error_terms, require_security, total_bits
from .shape import ProtocolShape

MARGIN_BITS = 1e-4
"""What a new schedule has beyond the level: far more than logarithms differ between machines."""

HIDING_FACTORS = (1.1, 1.25, 2.0)
"""How many more queries a hiding code may have, to see whether any number of them is enough."""

NEAR = 16
"""Counts that are tried one by one before the search halves what remains."""

STEPS = tuple(1 << log for log in range(MAX_QUERIES.bit_length()))
Requery = Callable[[InitialCode, int], "InitialCode | None"]
"""The initial code with another number of queries, and what comes with them; None where they do not fit."""

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


def with_queries(code: InitialCode, queries: int) -> InitialCode | None:
    """The code with other queries and nothing else: right for transparent codes."""
    return replace(code, queries=queries)


def with_best_queries(schedule: Schedule, shape: ProtocolShape, requery: Requery = with_queries) -> Schedule:
    """The schedule with the query counts that make its proof shortest.

    The same for the groups of a transparent code's trees; those of a hiding one stay, since it pays for them.

    Raises SecurityError where no counts reach the schedule's level.
    """
    require_security(most_secure(schedule, shape, requery), shape)
    least = [least_queries(code, schedule.security_bits) for code in schedule.codes]
    schedule = _with_counts(schedule, least, requery) or schedule
    while not _is_enough(schedule, shape):
        schedule = _longer(schedule, shape, requery)
    while shorter := [other for other in _changed(schedule, [-1], requery) if _is_enough(other, shape)]:
        schedule = min(shorter, key=lambda candidate: proof_bytes(candidate, shape))
    if schedule.initial.hiding:
        return schedule
    return replace(schedule, initial=with_best_groups(schedule.initial))


def with_most_queries(schedule: Schedule) -> Schedule:
    """The schedule with as many queries as are allowed: of a transparent code, no counts are more secure."""
    initial = replace(schedule.initial, queries=MAX_QUERIES)
    return replace(schedule, initial=initial, rounds=_most_rounds(schedule))


def most_secure(schedule: Schedule, shape: ProtocolShape, requery: Requery = with_queries) -> Schedule:
    """The schedule with counts of queries that are more secure than all others.

    Of a hiding initial code some counts are compared: random rows raise its rate.
    """
    if not schedule.initial.hiding:
        return with_most_queries(schedule)
    longest = replace(schedule, rounds=_most_rounds(schedule))
    queries = schedule.initial.queries
    codes = (requery(schedule.initial, min(int(queries * factor), MAX_QUERIES)) for factor in HIDING_FACTORS)
    candidates = [longest, *(replace(longest, initial=code) for code in codes if code)]
    return min(candidates, key=lambda candidate: _error(candidate, shape))


def best_groups(code: InitialCode) -> list[int]:
    """log_group of each tree, for the fewest bytes."""
    return [best_log_group(code.log_length, columns, code.queries) for columns, _ in code.trees]


def with_best_groups(code: InitialCode) -> InitialCode:
    """A transparent code with the Merkle leaves of its trees grouped for the fewest bytes."""
    matrices = zip(code.matrices, best_groups(code), strict=True)
    return replace(code, matrices=tuple(replace(matrix, log_group=group) for matrix, group in matrices))


def _longer(schedule: Schedule, shape: ProtocolShape, requery: Requery) -> Schedule:
    """The schedule with the further queries of one code that lower the error most for each byte.

    One query more may lower it nowhere, where folding in the Johnson regime is in the way. Many more can
    lower it: with them unique decoding is better.
    """
    error, size = _error(schedule, shape), proof_bytes(schedule, shape)

    def gain(longer: Schedule) -> float:
        # In a small tree one more row can even save siblings: such a query is as good as free.
        return (error - _error(longer, shape)) / max(proof_bytes(longer, shape) - size, 1)

    longer = max(_changed(schedule, [1], requery), key=gain, default=schedule)
    if error - _error(longer, shape) >= NOTICEABLE * error:
        return longer
    longer = max(_changed(schedule, STEPS, requery), key=gain, default=schedule)
    if longer == schedule:
        raise SecurityError(
            f"no more than {schedule.initial.queries} queries fit beside random rows and tails"
        )
    return longer


def _changed(schedule: Schedule, steps: Iterable[int], requery: Requery) -> Iterator[Schedule]:
    queries = [code.queries for code in schedule.codes]
    for step, (index, count) in product(steps, enumerate(queries)):
        if 1 <= count + step <= MAX_QUERIES:
            counts = [*queries[:index], count + step, *queries[index + 1 :]]
            if changed := _with_counts(schedule, counts, requery):
                yield changed


def _with_counts(schedule: Schedule, queries: list[int], requery: Requery) -> Schedule | None:
    initial = requery(schedule.initial, queries[0])
    rounds = zip(schedule.rounds, queries[1:], strict=True)
    counted = tuple(replace(code, queries=count) for code, count in rounds)
    return replace(schedule, initial=initial, rounds=counted) if initial else None


def _most_rounds(schedule: Schedule) -> tuple[Code, ...]:
    return tuple(replace(code, queries=MAX_QUERIES) for code in schedule.rounds)


def _is_enough(schedule: Schedule, shape: ProtocolShape) -> bool:
    return total_bits(error_terms(schedule, shape)) >= schedule.security_bits + MARGIN_BITS


def _error(schedule: Schedule, shape: ProtocolShape) -> float:
    return fsum(2.0**-term.bits for term in error_terms(schedule, shape))
