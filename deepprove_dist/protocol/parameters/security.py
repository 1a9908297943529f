"""The soundness account: every error of the actual schedule, in bits, and their sum.

The account bounds the chance that the interactive protocol accepts a false statement, by a union over all its
challenges; the field of 154.9 bits is rounded down to 154. After the commitments each candidate (a pair of
codewords in the joint list) carries at least one false claim: the out-of-domain answer leaves one candidate
whose answer is right, and for that one some relation's claim is false, up to the errors outside the opening,
which therefore have no list-size factor. From the batching of claims on, all candidates must stay false, so
those terms carry the list size.

Sources: WHIR (eprint 2024/1586, Section 5; out-of-domain samples as in STIR, eprint 2024/390, Lemma 4.5),
logup-GKR (eprint 2023/1284), `proximity` for codes. The forms with constants are those of p3-security 0.8.0,
except the count of exceptional challenges: see docs/decisions/0001-security-parameters.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor, fsum, inf, log2
from typing import NamedTuple

from deepprove_dist.errors import SecurityError

from .proximity import (
    MAX_LIST_PARAMETER,
    MIN_LIST_PARAMETER,
    agreement_log2,
    exceptional_challenges_log2,
    list_size_log2,
)
from .schedule import Code, InitialCode, Schedule
from .shape import ProtocolShape

FIELD_BITS = 154
"""log2 of the challenge field's size, rounded down."""

SECURITY_BITS = 100
"""The total of all terms must reach this; there is no grinding."""


TYPICAL_LIST_PARAMETER = 30
"""Where the search for a list parameter starts."""


@dataclass(frozen=True)
class ErrorTerm:
    """One error 2^-bits of the protocol; `detail` is the formula with its numbers."""

    name: str
    bits: float
    detail: str


def error_terms(schedule: Schedule, shape: ProtocolShape) -> tuple[ErrorTerm, ...]:
    """All errors of the protocol in the order of its challenges."""
    return (*_outer_terms(shape), *_initial_terms(schedule.initial, shape), *_round_terms(schedule))


def total_bits(terms: Iterable[ErrorTerm]) -> float:
    """The errors' sum in bits, rounded down to a millionth."""
    return floor(-log2(fsum(2.0**-term.bits for term in terms)) * 1e6) / 1e6


def require_security(schedule: Schedule, shape: ProtocolShape) -> float:
    """The total in bits; raises SecurityError below SECURITY_BITS."""
    terms = error_terms(schedule, shape)
    bits = total_bits(terms)
    if bits < SECURITY_BITS:
        worst = min(terms, key=lambda term: term.bits)
        raise SecurityError(
            f"the parameters reach {bits:.2f} bits, {SECURITY_BITS} are required; "
            f"the largest error is that of {worst.name}, {worst.bits:.2f} bits"
        )
    return bits


def list_parameter(code: InitialCode | Code, queries: int) -> int:
    """The m at which folding the code and querying it so often have the smallest sum of errors.

    With query error alpha^q and line error c m^5 the sum is stationary near c m^6 = alpha^q q / 10. From
    there the search goes downhill to the minimum of a convex function, so that the sum is continuous: a last
    digit that differs between machines may move m, but not the account.
    """
    if code.column_rounds == 0:
        return MAX_LIST_PARAMETER
    m = TYPICAL_LIST_PARAMETER
    for _ in range(2):
        errors = opening_errors_log2(code, queries, m)
        log_ratio = (errors.queries - errors.folding + log2(queries / (10 * m))) / 6
        m = min(max(int(m * 2.0 ** min(log_ratio, 10.0)), MIN_LIST_PARAMETER), MAX_LIST_PARAMETER)
    error = opening_error(code, queries, m)
    for step in (1, -1):
        while MIN_LIST_PARAMETER <= m + step <= MAX_LIST_PARAMETER:
            next_error = opening_error(code, queries, m + step)
            if next_error >= error:
                break
            m, error = m + step, next_error
    return m


class OpeningErrors(NamedTuple):
    """log2 of the errors of the column rounds' sumcheck, of folding, and of the queries of one code."""

    sumcheck: float
    folding: float
    queries: float


def opening_errors_log2(code: InitialCode | Code, queries: int, m: int) -> OpeningErrors:
    """The errors of folding a code and querying it so often, at the list parameter m."""
    missed = queries * agreement_log2(code.log_inverse_rate, m)
    if code.column_rounds == 0:
        return OpeningErrors(-inf, -inf, missed)
    rounds = log2(code.column_rounds) - FIELD_BITS
    line = exceptional_challenges_log2(code.log_length, code.log_inverse_rate, m)
    return OpeningErrors(rounds + list_size_log2(code.log_inverse_rate, m) + 1, rounds + line, missed)


def opening_error(code: InitialCode | Code, queries: int, m: int) -> float:
    """The sum of `opening_errors_log2` as a probability."""
    return fsum(2.0**error for error in opening_errors_log2(code, queries, m))


def _outer_terms(shape: ProtocolShape) -> Iterator[ErrorTerm]:
    lookups, sumcheck = shape.lookups, shape.sumcheck
    layers, powers = lookups.log_leaves, max(sumcheck.count - 1, 0)
    points = "points x variables"
    roots = (
        ("public tensors", shape.public.count * shape.public.variables, points),
        ("linear relations", shape.linear.count * shape.linear.variables, points),
        ("relation points", sumcheck.count * sumcheck.point_variables, points),
        ("relation batching", powers, "highest power"),
        ("relation sumcheck", sumcheck.variables * sumcheck.degree, "rounds x degree"),
        ("lookup fingerprints", lookups.fractions * (lookups.width + 2), "fractions x (width + 2)"),
        # A layer of l variables has l cubic rounds, a batching challenge and a branch challenge.
        ("fraction tree", 2 * layers + 3 * layers * (layers - 1) // 2, f"{layers} layers of cubic rounds"),
    )
    for name, count, what in roots:
        if count > 0:
            yield ErrorTerm(name, _challenge_bits(log2(count)), f"{count} / |EF| ({what})")


def _initial_terms(code: InitialCode, shape: ProtocolShape) -> Iterator[ErrorTerm]:
    m = list_parameter(code, code.queries)
    size = list_size_log2(code.log_inverse_rate, m)
    for matrix, columns in (("weights", code.weight_columns), ("witness", code.witness_columns)):
        if columns > 0:
            yield _out_of_domain_term(f"out-of-domain {matrix}", size, log2(columns) + code.log_rows)
    claims = shape.claims + len(code.trees)
    yield ErrorTerm(
        "claim batching",
        _challenge_bits(log2(claims - 1) + size),
        f"powers up to {claims - 1} x list 2^{size:.2f} / |EF|",
    )
    yield from _opening_terms("initial code", code, m)


def _round_terms(schedule: Schedule) -> Iterator[ErrorTerm]:
    for index, (queried, code) in enumerate(schedule.transitions()):
        m = list_parameter(code, code.queries)
        size = list_size_log2(code.log_inverse_rate, m)
        yield _out_of_domain_term(f"out-of-domain round {index}", size, code.log_rows + code.log_columns)
        values = queried.queries + 1
        yield ErrorTerm(
            f"query combination round {index}",
            _challenge_bits(log2(values) + size + 1),
            f"{values} values x 2 x list 2^{size:.2f} / |EF|",
        )
        yield from _opening_terms(f"round {index} code", code, m)
    yield ErrorTerm(
        "final sumcheck",
        _challenge_bits(log2(2 * schedule.final_log)),
        f"{schedule.final_log} rounds x degree 2 / |EF|",
    )


def _opening_terms(name: str, code: InitialCode | Code, m: int) -> Iterator[ErrorTerm]:
    errors = opening_errors_log2(code, code.queries, m)
    query_bits = -errors.queries / code.queries
    if code.column_rounds > 0:
        rounds = f"{code.column_rounds} rounds"
        yield ErrorTerm(f"{name}: sumcheck", -errors.sumcheck, f"{rounds} x degree 2 x list size / |EF|")
        yield ErrorTerm(
            f"{name}: folding", -errors.folding, f"{rounds} x exceptional challenges (m = {m}) / |EF|"
        )
    yield ErrorTerm(
        f"{name}: queries",
        -errors.queries,
        f"{code.queries} queries x {query_bits:.4f} bits (rate 2^-{code.log_inverse_rate}, m = {m})",
    )


def _out_of_domain_term(name: str, list_size: float, log_degree: float) -> ErrorTerm:
    return ErrorTerm(
        name,
        _challenge_bits(2 * list_size - 1 + log_degree),
        f"list 2^{list_size:.2f} squared / 2 x degree 2^{log_degree:.2f} / |EF|",
    )


def _challenge_bits(roots_log2: float) -> float:
    return FIELD_BITS - roots_log2
