"""The choice of a schedule for a model's sizes: the shortest proof, with a price on proving time.

All schedules of a small family are compared. They differ in rows, rate and number of rounds. One folding, and
one fall of the rate, holds for all rounds. The measure is bytes * milliseconds^w: a proof may become 1%
longer where that saves 1/w % of the time. Encoding the weights is paid once for a loaded key and counts a
small part.

A key stores the schedule, and a verifier checks only that it is secure. So another machine need not choose
the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import inf
from typing import Literal, get_args

from deepprove_dist.canonical import replace
from deepprove_dist.choices import require_choice
from deepprove_dist.errors import SecurityError

from .cost import BASE_BYTES, initial_bytes, proof_bytes
from .initial_code import TWO_ADICITY, InitialCode, MatrixCode
from .queries import MARGIN_BITS, least_queries, with_best_groups, with_best_queries, with_most_queries
from .schedule import DEFAULT_SECURITY_BITS, SECURITY_LEVELS, Code, Schedule
from .security import error_terms, require_possible, require_security, total_bits
from .shape import ProtocolShape
from .times import initial_milliseconds, loading_milliseconds, proving_milliseconds

ProofObjective = Literal["default", "small", "fast"]
Weights = Literal["committed", "public"]

TIME_EXPONENTS: dict[ProofObjective, float] = {"default": 0.2, "small": 0.1, "fast": 1.0}

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
MAX_SEARCH_COLUMNS = 1024
LARGE_CODEWORD_BYTES = 1 << 27
LARGE_LOG_INVERSE_RATE = 3
"""The lowest rate for codewords above LARGE_CODEWORD_BYTES, which would fill a prover's memory."""

MAX_CLEAR_LOG = 10


@dataclass(frozen=True)
class _Sizes:
    weight_values: int
    witness_values: int

    def matrices(self, log_rows: int) -> tuple[MatrixCode, ...]:
        rows = 1 << log_rows
        weights = -(-self.weight_values // rows)
        witness = MatrixCode("witness", max(-(-self.witness_values // rows), 1), 0)
        return (MatrixCode("weights", weights, 0), witness) if weights else (witness,)


def choose(
    weight_values: int,
    witness_values: int,
    shape: ProtocolShape,
    *,
    objective: ProofObjective = "default",
    weights: Weights = "committed",
    security_bits: int = DEFAULT_SECURITY_BITS,
) -> Schedule:
    """The schedule for a model of `weight_values` and `witness_values` committed base-field values.

    With public weights only the witness matrix is opened.

    Raises SecurityError where no schedule of the family holds the values at the level. It names the error
    that is in the way. Raises ChoiceError for an objective, weights or level that there is not.
    """
    require_choice("objective", objective, get_args(ProofObjective))
    require_choice("weights", weights, get_args(Weights))
    require_choice("security", security_bits, SECURITY_LEVELS)
    require_possible(shape, security_bits)
    sizes = _Sizes(weight_values if weights == "committed" else 0, witness_values)
    best, nearest = _search(sizes, shape, TIME_EXPONENTS[objective], security_bits)
    if best is not None:
        return with_best_queries(best, shape)
    if nearest is not None:
        require_security(nearest, shape)
    raise SecurityError(
        f"no schedule holds {weight_values} weights and {witness_values} witness values: "
        f"at most 2^{LOG_ROWS[-1]} rows of {MAX_SEARCH_COLUMNS} columns are supported"
    )


def _search(
    sizes: _Sizes, shape: ProtocolShape, exponent: float, security_bits: int
) -> tuple[Schedule | None, Schedule | None]:
    """The schedule of the smallest measure that can reach the level, and the nearest of those that cannot."""
    best: Schedule | None = None
    nearest: Schedule | None = None
    least, most = inf, 0.0
    for initial in _initial_codes(sizes, security_bits):
        loading = LOADING_SHARE * loading_milliseconds(initial)
        bound = initial_bytes(initial) * (initial_milliseconds(initial, shape) + loading) ** exponent
        if bound >= least:
            continue
        for rounds in _all_rounds(initial, security_bits):
            schedule = Schedule(initial, rounds, security_bits)
            milliseconds = proving_milliseconds(schedule, shape) + loading
            measure = proof_bytes(schedule, shape) * milliseconds**exponent
            if measure >= least:
                continue
            longest = with_most_queries(schedule)
            bits = total_bits(error_terms(longest, shape))
            if bits >= security_bits + MARGIN_BITS:
                best, least = schedule, measure
            elif bits > most:
                nearest, most = longest, bits
    return best, nearest


def _initial_codes(sizes: _Sizes, security_bits: int) -> Iterator[InitialCode]:
    for log_rows in LOG_ROWS:
        if -(-sizes.weight_values >> log_rows) - (-sizes.witness_values >> log_rows) > MAX_SEARCH_COLUMNS:
            continue
        matrices = sizes.matrices(log_rows)
        for log_inverse_rate in LOG_INVERSE_RATES:
            if log_rows + log_inverse_rate <= TWO_ADICITY:
                code = InitialCode(log_rows, log_inverse_rate, 1, matrices)
                if log_inverse_rate > LARGE_LOG_INVERSE_RATE and _codeword_bytes(code) > LARGE_CODEWORD_BYTES:
                    break
                if queries := _search_queries(code, security_bits):
                    yield with_best_groups(replace(code, queries=queries))


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
            rounds = (*rounds, replace(code, queries=queries))
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
