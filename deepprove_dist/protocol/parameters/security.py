"""The soundness account: every error of the actual schedule, in bits, and their sum.

The account bounds the chance that the interactive protocol accepts a false statement. It is a union over all
challenges; the field of 154.9 bits is rounded down to 154. A candidate is a pair of codewords in the joint
list. After the commitments each candidate carries at least one false claim. The out-of-domain answer leaves
one candidate whose answer is right. For that one some relation's claim is false, up to the errors outside the
opening. So these errors have no list-size factor. From the batching of claims on, all candidates must stay
false, so those terms carry the list size. With unique decoding there is at most one candidate from the start.

What the sum rests on: BLAKE3 as a random oracle, and in the Johnson regime two preprints (`proximity`). After
Fiat-Shamir an adversary of Q hashes succeeds with about Q times the largest round, `largest_round_bits`.
Digests have 32 bytes, so that a collision costs about 2^128 hashes: this is beside the sum.

Sources: WHIR (eprint 2024/1586, Section 5; out-of-domain samples as in STIR, eprint 2024/390, Lemma 4.5),
logup-GKR (eprint 2023/1284), `proximity` for codes. The forms with constants are those of p3-security 0.8.0,
except the count of exceptional challenges: see docs/decisions/0001-security-parameters.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import floor, fsum, isfinite, log2

from deepprove_dist.errors import SecurityError

from .initial_code import InitialCode
from .outer import ErrorTerm, challenge_bits, outer_terms
from .products import FINALS
from .proximity import Johnson, JohnsonAt, RefereedJohnson, Regime
from .regimes import ListUses, best_regime, opening_errors_log2
from .schedule import Code, Schedule
from .shape import ProtocolShape

HASH_COLLISION_BITS = 128
"""log2 of the hashes that finding two inputs of one 32-byte digest takes."""


def error_terms(
    schedule: Schedule, shape: ProtocolShape, johnson: JohnsonAt = Johnson
) -> tuple[ErrorTerm, ...]:
    """All errors of the protocol in the order of its challenges.

    `johnson` has the count of exceptional challenges to use in the Johnson regime.
    """
    first, *others = code_regimes(schedule, shape, johnson)
    initial = _initial_terms(schedule.initial, shape, first)
    outer = outer_terms(shape, hiding=schedule.initial.hiding)
    return (*outer, *initial, *_round_terms(schedule, others))


def code_regimes(
    schedule: Schedule, shape: ProtocolShape, johnson: JohnsonAt = Johnson
) -> tuple[Regime, ...]:
    """The regime in which each code of the schedule is analysed: the one with the smallest sum of errors."""
    initial = schedule.initial
    degrees = sum(degree for _, degree in _sample_degrees(initial))
    # A claim about the mask vector is one more thing that holds for each candidate.
    uses = [ListUses(float(degrees), float(_claim_powers(initial, shape) + initial.hiding))]
    for queried, code in schedule.transitions():
        uses.append(ListUses(float(1 << code.log_rows + code.log_columns), 2.0 * (queried.queries + 1)))
    codes = zip(schedule.codes, uses, strict=True)
    return tuple(best_regime(code, code.queries, use, johnson) for code, use in codes)


def total_bits(terms: Iterable[ErrorTerm]) -> float:
    """The errors' sum in bits, rounded down to a millionth."""
    return _sum_bits(term.bits for term in terms)


def largest_round_bits(terms: Iterable[ErrorTerm]) -> float:
    """A bound on the largest error of a single round, in bits: the largest sum of the terms of a step."""
    steps: dict[str, list[float]] = defaultdict(list)
    for term in terms:
        steps[term.step].append(term.bits)
    return min(map(_sum_bits, steps.values()))


def refereed_bits(schedule: Schedule, shape: ProtocolShape) -> float:
    """The total with the older, refereed count of exceptional challenges in the Johnson regime (2020/654)."""
    return total_bits(error_terms(schedule, shape, RefereedJohnson))


def require_security(schedule: Schedule, shape: ProtocolShape) -> float:
    """The total in bits; raises SecurityError below the schedule's level."""
    terms = error_terms(schedule, shape)
    bits = total_bits(terms)
    if bits < schedule.security_bits:
        raise SecurityError(_shortfall(terms, bits, schedule.security_bits))
    return bits


def require_possible(shape: ProtocolShape, security_bits: int) -> None:
    """Raises SecurityError where the errors outside the opening exceed the level, whatever the schedule."""
    terms = tuple(outer_terms(shape, hiding=False))
    if terms and (bits := total_bits(terms)) < security_bits:
        raise SecurityError(_shortfall(terms, bits, security_bits))


def _shortfall(terms: Iterable[ErrorTerm], bits: float, required: int) -> str:
    worst = min(terms, key=lambda term: term.bits)
    return (
        f"the parameters reach {bits:.2f} bits, {required} are required: {required - bits:.2f} are missing. "
        f"The largest error is that of {worst.name}, {worst.bits:.2f} bits ({worst.detail})"
    )


def _sum_bits(bits: Iterable[float]) -> float:
    return floor(-log2(fsum(2.0**-term for term in bits)) * 1e6) / 1e6


def _claim_powers(code: InitialCode, shape: ProtocolShape) -> int:
    """The highest power that combines all claims, an out-of-domain one for each matrix among them.

    A hiding proof has the mask claim, and of the products' sumcheck the finals and the last claim.
    """
    further = 1 + (FINALS + 1 if shape.products.rows else 0) if code.hiding else 0
    return shape.claims + further + len(code.matrices) - 1


def _sample_degrees(code: InitialCode) -> Iterator[tuple[str, int]]:
    """Each matrix, and the values in it: above the degree of its out-of-domain answer in the point."""
    for matrix in code.matrices:
        rows = code.dimension if matrix.matrix == "witness" else 1 << code.log_rows
        yield matrix.matrix, matrix.columns * rows


def _initial_terms(code: InitialCode, shape: ProtocolShape, regime: Regime) -> Iterator[ErrorTerm]:
    powers = _claim_powers(code, shape)
    size = regime.list_size_log2(-code.rate_log2)
    for matrix, degree in _sample_degrees(code):
        yield from _out_of_domain_term(f"out-of-domain {matrix}", code, regime, log2(degree))
    yield ErrorTerm(
        "claim batching",
        challenge_bits(log2(powers) + size),
        f"powers up to {powers} x list 2^{size:.2f} / |EF|",
        "claim batching",
    )
    if code.hiding:
        detail = f"list 2^{size:.2f} / |EF|"
        yield ErrorTerm("mask vector", challenge_bits(size), detail, "initial code: rounds")
    yield from _opening_terms("initial code", code, regime, "queries 0")


def _round_terms(schedule: Schedule, regimes: Sequence[Regime]) -> Iterator[ErrorTerm]:
    pairs = zip(schedule.transitions(), regimes, strict=True)
    for index, ((queried, code), regime) in enumerate(pairs):
        values = queried.queries + 1
        log_degree = code.log_rows + code.log_columns
        size = regime.list_size_log2(-code.rate_log2)
        yield from _out_of_domain_term(f"out-of-domain round {index}", code, regime, log_degree)
        yield ErrorTerm(
            f"query combination round {index}",
            challenge_bits(log2(values) + size + 1),
            f"{values} values x 2 x list 2^{size:.2f} / |EF|",
            f"queries {index}",
        )
        yield from _opening_terms(f"round {index} code", code, regime, f"queries {index + 1}")
    yield ErrorTerm(
        "final sumcheck",
        challenge_bits(log2(2 * schedule.final_log)),
        f"{schedule.final_log} rounds x degree 2 / |EF|",
        "final sumcheck",
    )


def _opening_terms(name: str, code: InitialCode | Code, regime: Regime, drawn: str) -> Iterator[ErrorTerm]:
    """A code's positions are `drawn` together with the next code's combination."""
    errors = opening_errors_log2(code, code.queries, regime)
    query_bits = -errors.queries / code.queries
    if code.column_rounds > 0:
        rounds, step = f"{code.column_rounds} rounds", f"{name}: rounds"
        sumcheck = f"{rounds} x degree 2 x list size / |EF|"
        yield ErrorTerm(f"{name}: sumcheck", -errors.sumcheck, sumcheck, step)
        lines = rounds if code.folds == code.column_rounds else f"{rounds} and the mask vector,"
        folding = f"{lines} x exceptional challenges ({regime}) / |EF|"
        yield ErrorTerm(f"{name}: folding", -errors.folding, folding, step)
    yield ErrorTerm(
        f"{name}: queries",
        -errors.queries,
        f"{code.queries} queries x {query_bits:.4f} bits (rate 2^{code.rate_log2:.7g}, {regime})",
        drawn,
    )


def _out_of_domain_term(
    name: str, code: InitialCode | Code, regime: Regime, log_degree: float
) -> Iterator[ErrorTerm]:
    """Two candidates with the same answer; there are none where candidates are unique."""
    if isfinite(pairs := regime.pairs_log2(-code.rate_log2)):
        size = regime.list_size_log2(-code.rate_log2)
        detail = f"list 2^{size:.2f} squared / 2 x degree 2^{log_degree:.2f} / |EF|"
        yield ErrorTerm(name, challenge_bits(pairs + log_degree), detail, name)
