"""The regime in which a code is analysed: the one with the smallest sum of the code's errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, inf, log2, pow
from typing import NamedTuple

from .initial_code import InitialCode
from .proximity import (
    MAX_LIST_PARAMETER,
    MIN_LIST_PARAMETER,
    Johnson,
    JohnsonAt,
    Regime,
    UniqueDecoding,
)
from .schedule import Code

FIELD_BITS = 154
"""log2 of the challenge field's size, rounded down."""

TYPICAL_LIST_PARAMETER = 30
"""Where the search for a list parameter starts."""

PARAMETERS_WITHOUT_FOLDING = (MAX_LIST_PARAMETER, 100, 30, 10, MIN_LIST_PARAMETER)
"""List parameters to compare where a code is queried only, so that no folding error bounds m."""


class OpeningErrors(NamedTuple):
    """log2 of the errors of the column rounds' sumcheck, of folding, and of the queries of one code."""

    sumcheck: float
    folding: float
    queries: float


@dataclass(frozen=True)
class ListUses:
    """Where a code's list size enters besides its folding, as roots among challenges.

    `pairs` counts roots for each pair of candidates (out-of-domain samples), `candidates` those for each
    candidate (batching and combination).
    """

    pairs: float = 0.0
    candidates: float = 0.0

    def error(self, log_inverse_rate: float, regime: Regime) -> float:
        """The sum of these errors as a probability."""
        pairs = self.pairs * pow(2.0, regime.pairs_log2(log_inverse_rate) - FIELD_BITS)
        return pairs + self.candidates * pow(2.0, regime.list_size_log2(log_inverse_rate) - FIELD_BITS)


@lru_cache(maxsize=1 << 14)
def best_regime(
    code: InitialCode | Code, queries: int, uses: ListUses | None = None, johnson: JohnsonAt = Johnson
) -> Regime:
    """The regime in which so many queries of the code, its folding and the uses of its list err least."""
    other = uses or ListUses()

    def error(regime: Regime) -> float:
        return opening_error(code, queries, regime) + other.error(-code.rate_log2, regime)

    return min(_candidates(code, queries, johnson), key=error)


def opening_errors_log2(code: InitialCode | Code, queries: int, regime: Regime) -> OpeningErrors:
    """The errors of folding a code and querying it so often."""
    missed = queries * regime.agreement_log2(-code.rate_log2)
    if code.column_rounds == 0:
        return OpeningErrors(-inf, -inf, missed)
    rounds, folds = log2(code.column_rounds) - FIELD_BITS, log2(code.folds) - FIELD_BITS
    line = regime.exceptional_challenges_log2(code.log_length, -code.rate_log2)
    return OpeningErrors(rounds + regime.list_size_log2(-code.rate_log2) + 1, folds + line, missed)


def opening_error(code: InitialCode | Code, queries: int, regime: Regime) -> float:
    """The sum of `opening_errors_log2` as a probability."""
    return fsum(2.0**error for error in opening_errors_log2(code, queries, regime))


def list_parameter(code: InitialCode | Code, queries: int, johnson: JohnsonAt = Johnson) -> int:
    """The m at which folding the code and querying it so often have the smallest sum of errors.

    With query error alpha^q and line error c m^5 the sum is stationary near c m^6 = alpha^q q / 10. From
    there the search goes downhill to the minimum of a convex function, so the sum is continuous. A last digit
    that differs between machines may move m, but not the account.
    """
    m = TYPICAL_LIST_PARAMETER
    for _ in range(2):
        errors = opening_errors_log2(code, queries, johnson(m))
        log_ratio = (errors.queries - errors.folding + log2(queries / (10 * m))) / 6
        m = min(max(int(m * 2.0 ** min(log_ratio, 10.0)), MIN_LIST_PARAMETER), MAX_LIST_PARAMETER)
    error = opening_error(code, queries, johnson(m))
    for step in (1, -1):
        while MIN_LIST_PARAMETER <= m + step <= MAX_LIST_PARAMETER:
            next_error = opening_error(code, queries, johnson(m + step))
            if next_error >= error:
                break
            m, error = m + step, next_error
    return m


def _candidates(code: InitialCode | Code, queries: int, johnson: JohnsonAt) -> Iterator[Regime]:
    if code.column_rounds == 0:
        yield from map(johnson, PARAMETERS_WITHOUT_FOLDING)
    else:
        yield johnson(list_parameter(code, queries, johnson))
    yield UniqueDecoding()
