"""The search for a schedule of some sizes: the smallest measure of bytes and time that reaches the level.

All schedules of a small family are compared. They differ in rows, rate and number of rounds, and hiding ones
in their leaves. One folding, and one fall of the rate, holds for all rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import inf

from deepprove_dist.canonical import replace as replace_record
from deepprove_dist.errors import SecurityError

from .certificate import certifiable
from .cost import BASE_BYTES, initial_bytes, proof_bytes
from .initial_code import InitialCode
from .matrix_code import TWO_ADICITY
from .memory import PROCESS_BYTES, proving_bytes, require_memory
from .queries import (
    MARGIN_BITS,
    best_groups,
    least_queries,
    most_secure,
    with_best_groups,
    with_best_queries,
)
from .schedule import Code, Schedule
from .security import error_terms, require_security, total_bits
from .shape import ProtocolShape
from .sizes import MAX_SEARCH_COLUMNS, Sizes
from .times import initial_milliseconds, loading_milliseconds, proving_milliseconds

SEARCH_MARGINS = (2.0, 0.1)
"""How much better than the level each code is while schedules are compared: about four codes add up to it.

The second is for a code whose folding leaves no room for the first.
"""

LOADING_SHARE = 0.05
"""The part of the time to encode the weights that is counted to each proof."""

LOG_ROWS = range(7, 21)
LOG_INVERSE_RATES = range(1, 7)
LOG_COLUMNS = range(2, 6)
RATE_FALLS = range(1, 4)
LARGE_CODEWORD_BYTES = 1 << 27
LARGE_LOG_INVERSE_RATE = 3
"""The lowest rate for codewords above LARGE_CODEWORD_BYTES, which would fill a prover's memory."""

MAX_CLEAR_LOG = 10

EXCESS_EXPONENT = 4.0
"""How strongly a schedule beyond its limits is worse: one is found also where none is within them."""


@dataclass(frozen=True)
class Limits:
    """What a proof should have at most: bytes, and milliseconds of proving. And what its prover may hold."""

    proof_bytes: float = inf
    milliseconds: float = inf
    memory_bytes: float = inf

    def beside(self, schedule: Schedule, shape: ProtocolShape, factor: float) -> Limits:
        """`factor` times what proofs of another schedule have, with the same memory."""
        size, time = proof_bytes(schedule, shape), proving_milliseconds(schedule, shape)
        return replace(self, proof_bytes=factor * size, milliseconds=factor * time)

    def excess(self, size: float, milliseconds: float) -> float:
        """The larger of both factors beyond the limits; 1 within them."""
        return max(size / self.proof_bytes, milliseconds / self.milliseconds, 1.0)


UNLIMITED = Limits()


def best_schedule(
    sizes: Sizes, shape: ProtocolShape, exponent: float, security_bits: int, limits: Limits = UNLIMITED
) -> Schedule:
    """The schedule of the smallest bytes * milliseconds^exponent, with the best queries.

    Beyond the bytes and the time of `limits` the measure rises steeply. Raises SecurityError where no
    schedule of the family holds the values at the level. Raises MemoryLimitError where all take more memory.
    """
    best, nearest = _search(sizes, shape, exponent, security_bits, limits)
    if best is not None:
        schedule = with_best_queries(best, shape, sizes.with_queries)
        return certifiable(schedule, shape, sizes.with_queries)
    if limits.memory_bytes < inf:
        require_memory(_least_memory(sizes, shape, security_bits), int(limits.memory_bytes))
    if nearest is not None:
        require_security(nearest, shape)
    proofs = f" for {sizes.proofs} proofs" if sizes.proofs else ""
    raise SecurityError(
        f"no schedule holds {sizes.weight_values} weights and {sizes.witness_values} witness values{proofs}: "
        f"at most 2^{LOG_ROWS[-1]} rows of {MAX_SEARCH_COLUMNS} columns are supported"
    )


def _search(
    sizes: Sizes, shape: ProtocolShape, exponent: float, security_bits: int, limits: Limits
) -> tuple[Schedule | None, Schedule | None]:
    """The schedule of the smallest measure that can reach the level, and the nearest of those that cannot."""
    best: Schedule | None = None
    nearest: Schedule | None = None
    least, most = inf, 0.0
    leaves = shape.lookups.log_leaves
    for initial in _initial_codes(sizes, security_bits):
        if PROCESS_BYTES + proving_bytes(initial, leaves, sizes.public_weights) > limits.memory_bytes:
            continue
        loading = LOADING_SHARE * loading_milliseconds(initial)

        def measured(size: float, milliseconds: float, loading: float = loading) -> float:
            excess = limits.excess(size, milliseconds) ** EXCESS_EXPONENT
            return float(size * (milliseconds + loading) ** exponent * excess)

        if measured(initial_bytes(initial), initial_milliseconds(initial, shape)) >= least:
            continue
        for rounds in _all_rounds(initial, security_bits):
            schedule = Schedule(initial, rounds, security_bits)
            measure = measured(proof_bytes(schedule, shape), proving_milliseconds(schedule, shape))
            if measure >= least:
                continue
            longest = most_secure(schedule, shape, sizes.with_queries)
            bits = total_bits(error_terms(longest, shape))
            if bits >= security_bits + MARGIN_BITS:
                best, least = schedule, measure
            elif bits > most:
                nearest, most = longest, bits
    return best, nearest


def _least_memory(sizes: Sizes, shape: ProtocolShape, security_bits: int) -> int:
    """The least memory that codes for these sizes take; 0 where there are none."""
    leaves, codes = shape.lookups.log_leaves, _initial_codes(sizes, security_bits)
    return min((proving_bytes(code, leaves, sizes.public_weights) for code in codes), default=0)


def _initial_codes(sizes: Sizes, security_bits: int) -> Iterator[InitialCode]:
    for log_rows, log_inverse_rate in product(LOG_ROWS, LOG_INVERSE_RATES):
        if log_rows + log_inverse_rate > TWO_ADICITY:
            continue
        code = _queried(sizes, log_rows, log_inverse_rate, (0, 0), security_bits)
        if code is None:
            continue
        if not sizes.hiding:
            yield with_best_groups(code)
            continue
        # A group costs random rows and tails, so that the shortest leaves need not be best.
        best = best_groups(code)
        most = (best[0] if code.weight_columns else 0), best[-1]
        for groups in product(range(most[0] + 1), range(most[1] + 1)):
            if hiding := _queried(sizes, log_rows, log_inverse_rate, groups, security_bits):
                yield hiding


def _queried(
    sizes: Sizes, log_rows: int, log_inverse_rate: int, groups: tuple[int, int], security_bits: int
) -> InitialCode | None:
    """The code with as many queries as the level needs; in a hiding one they need random rows themselves."""
    queries = 1
    while code := sizes.code(log_rows, log_inverse_rate, queries, groups):
        if log_inverse_rate > LARGE_LOG_INVERSE_RATE and _codeword_bytes(code) > LARGE_CODEWORD_BYTES:
            return None
        needed = _search_queries(code, security_bits)
        if needed is None:
            return None
        if not sizes.hiding:
            return replace_record(code, queries=needed)
        if needed <= queries:
            return code
        queries = needed
    return None


def _all_rounds(initial: InitialCode, security_bits: int) -> Iterator[tuple[Code, ...]]:
    if initial.log_rows <= MAX_CLEAR_LOG:
        yield ()
    for log_columns, fall in product(LOG_COLUMNS, RATE_FALLS):
        rounds: tuple[Code, ...] = ()
        log_rows, log_inverse_rate = initial.log_rows - log_columns, initial.log_inverse_rate + fall
        while log_rows >= 1 and log_rows + log_inverse_rate <= TWO_ADICITY:
            code = Code(log_rows, log_columns, log_inverse_rate, 1)
            queries = _search_queries(code, security_bits)
            if queries is None:
                break
            rounds = (*rounds, replace_record(code, queries=queries))
            if log_rows <= MAX_CLEAR_LOG:
                yield rounds
            log_rows, log_inverse_rate = log_rows - log_columns, log_inverse_rate + fall


def _codeword_bytes(code: InitialCode) -> int:
    return code.columns * BASE_BYTES << code.log_length


def _search_queries(code: InitialCode | Code, security_bits: int) -> int | None:
    for margin in SEARCH_MARGINS:
        try:
            return least_queries(code, security_bits + margin)
        except SecurityError:
            continue
    return None
