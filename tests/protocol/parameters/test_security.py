"""The soundness account against p3-security, against exact arithmetic, and as a gate."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import (
    Code,
    InitialCode,
    Lookups,
    PointClaims,
    ProtocolShape,
    Schedule,
    SumcheckInstances,
    choose,
    error_terms,
    largest_round_bits,
    refereed_bits,
    require_security,
    security,
    total_bits,
)
from deepprove_dist.protocol.parameters.proximity import Johnson, Regime, UniqueDecoding
from deepprove_dist.protocol.parameters.queries import with_best_queries, with_most_queries
from tests.records import replace

from .shapes import DENSE_4M, SMALL_MLP, initial_code

REFERENCE = Path(__file__).with_name("reference.csv")


def reference(*quantities: str) -> Iterator[tuple[str, int, int, int, int, float]]:
    with REFERENCE.open(newline="") as file:
        for row in csv.reader(file):
            if row[0] in quantities:
                first, second, third, fourth = map(int, row[1:5])
                yield row[0], first, second, third, fourth, float(row[5])


def bits_of(name: str, schedule: Schedule, shape: ProtocolShape = SMALL_MLP) -> float:
    (bits,) = (term.bits for term in error_terms(schedule, shape) if term.name == name)
    return bits


def schedule_of(initial: InitialCode, *rounds: Code) -> Schedule:
    """A schedule with these codes first; further ones fold what would be too long to send in clear."""
    last = rounds[-1].log_rows if rounds else initial.log_rows
    tail = (Code(last - 8, 8, 4, 40),) if last > 10 else ()
    return Schedule(initial, (*rounds, *tail))


def analyse_with(monkeypatch: pytest.MonkeyPatch, regime: Regime) -> None:
    """Codes are analysed in this regime, whatever is best."""
    monkeypatch.setattr(security, "best_regime", lambda *_: regime)


def test_terms_of_the_initial_code_match_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "out_of_domain": "out-of-domain witness",
        "fold_sumcheck": "initial code: sumcheck",
        "queries": "initial code: queries",
    }
    for quantity, log_rows, log_inverse_rate, m, queries, bits in reference(*names):
        analyse_with(monkeypatch, Johnson(m))
        schedule = schedule_of(initial_code(log_rows, 1, 1, log_inverse_rate, 0, 0, max(queries, 1)))
        assert bits_of(names[quantity], schedule) == pytest.approx(bits, abs=1e-6)


def test_query_combination_matches_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, log_rows, log_inverse_rate, m, queries, bits in reference("query_combination"):
        analyse_with(monkeypatch, Johnson(m))
        schedule = schedule_of(
            initial_code(log_rows + 1, 1, 1, 1, 0, 0, queries), Code(log_rows, 1, log_inverse_rate, 9)
        )
        assert bits_of("query combination round 0", schedule) == pytest.approx(bits, abs=1e-6)


def test_claim_batching_matches_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, log_rows, log_inverse_rate, m, claims, bits in reference("claim_batching"):
        analyse_with(monkeypatch, Johnson(m))
        schedule = schedule_of(initial_code(log_rows, 0, 1, log_inverse_rate, 0, 0, 1))
        # With one matrix there is one out-of-domain claim besides the shape's.
        shape = replace(SMALL_MLP, claims=claims - 1)
        assert bits_of("claim batching", schedule, shape) == pytest.approx(bits, abs=1e-6)


def test_list_size_matches_p3_security() -> None:
    for _, _, log_inverse_rate, m, _, bits in reference("list_size"):
        assert Johnson(m).list_size_log2(log_inverse_rate) == pytest.approx(bits, abs=1e-6)


def test_folding_is_more_cautious_than_the_newest_bound() -> None:
    """Eprint 2025/2055 counts t^2 / (4 sqrt(rate)) times the exceptional challenges of 2026/2056."""
    for _, log_rows, log_inverse_rate, m, _, newest in reference("line_2026_2056"):
        line = Johnson(m).exceptional_challenges_log2(log_rows + log_inverse_rate, log_inverse_rate)
        bits = 154 - line
        ratio = (m + 0.5) ** 2 / 4 * 2 ** (log_inverse_rate / 2)
        assert 2 ** (newest - bits) == pytest.approx(ratio, rel=0.03)


def test_terms_outside_the_opening_match_p3_security() -> None:
    names = {
        "air-batching": "relation batching",
        "constraint-sumcheck": "relation sumcheck",
        "logup-fingerprint": "lookup fingerprints",
        "fractional-gkr": "fraction tree",
    }
    schedule = choose(1000, 1000, SMALL_MLP)
    for quantity, variables, log_leaves, fractions, width, bits in reference(*names):
        shape = replace(
            SMALL_MLP,
            sumcheck=SumcheckInstances(
                17, point_variables=5, variables=variables, degree=3, coefficients=3 * variables
            ),
            lookups=Lookups(log_leaves, fractions, width),
        )
        assert bits_of(names[quantity], schedule, shape) == pytest.approx(bits, abs=1e-6)


def test_the_final_sumcheck_has_rounds_of_degree_two() -> None:
    """Too small beside the other terms to be seen in their sum."""
    assert bits_of("final sumcheck", schedule_of(initial_code(8, 1, 1, 2, 0, 0, 40))) == 154 - 4


def exact_outer_roots(schedule: Schedule, shape: ProtocolShape) -> Decimal:
    """Roots of all errors that no code enters."""
    rounds_of_tree = sum(2 + 3 * layer for layer in range(shape.lookups.log_leaves))
    return Decimal(
        shape.public.count * shape.public.variables
        + shape.linear.count * shape.linear.variables
        + shape.sumcheck.count * shape.sumcheck.point_variables
        + (shape.sumcheck.count - 1)
        + shape.sumcheck.variables * shape.sumcheck.degree
        + shape.lookups.fractions * (shape.lookups.width + 2)
        + rounds_of_tree
        + 2 * schedule.final_log
    )


def exact_code_error(
    code: InitialCode | Code, previous: int, claims: int, m: int | None, old: bool
) -> Decimal:
    """All errors of a code in the Johnson regime of m, or with unique decoding, written down from the papers.

    `previous` is the number of queries of the code before it, `claims` that of all claims. With `old`, lines
    have the count of 2020/654 in the Johnson regime.
    """
    rate = Decimal(2) ** -code.log_inverse_rate
    length = 2**code.log_rows / rate
    if m is None:
        candidates, pairs, line, missed = Decimal(1), Decimal(0), length, (1 + rate) / 2
    else:
        eta = rate.sqrt() / (2 * m)
        gamma = 1 - rate.sqrt() - eta
        candidates = 1 / (2 * eta * rate.sqrt())
        pairs = candidates**2 / 2
        half = m + Decimal("0.5")
        line = ((2 * half**5 + 3 * half * gamma * rate) / (3 * rate) * length + half) / rate.sqrt()
        if old:
            line = half**7 / (3 * rate * rate.sqrt()) * length**2
        missed = 1 - gamma
    roots = code.column_rounds * (2 * candidates + line)
    if isinstance(code, InitialCode):
        roots += (claims + len(code.trees) - 1) * candidates + code.columns * 2**code.log_rows * pairs
    else:
        roots += (previous + 1) * 2 * candidates + 2 ** (code.log_rows + code.log_columns) * pairs
    error: Decimal = roots / Decimal(2) ** 154 + missed**code.queries
    return error


def exact_bits(schedule: Schedule, shape: ProtocolShape, old: bool = False) -> Decimal:
    """The union bound, with the best of all regimes for each code."""
    error = exact_outer_roots(schedule, shape) / Decimal(2) ** 154
    for previous, code in pairwise((None, *schedule.codes)):
        asked = 0 if previous is None else previous.queries
        regimes = (None, *range(3, 120), *range(120, 1001, 40))
        assert code is not None
        error += min(exact_code_error(code, asked, shape.claims, m, old) for m in regimes)
    return -error.ln() / Decimal(2).ln()


@pytest.mark.parametrize("level", [100, 128])
@pytest.mark.parametrize("weight_values", [300, 26_000, 4_012_003, 1 << 27])
def test_the_totals_match_an_independent_computation(weight_values: int, level: int) -> None:
    schedule = choose(weight_values, 6_000, DENSE_4M, security_bits=level)
    with localcontext() as context:
        context.prec = 60
        exact, older = exact_bits(schedule, DENSE_4M), exact_bits(schedule, DENSE_4M, old=True)
    assert total_bits(error_terms(schedule, DENSE_4M)) == pytest.approx(float(exact), abs=1e-4)
    assert refereed_bits(schedule, DENSE_4M) == pytest.approx(float(older), abs=1e-4)


DIGITS_MLP = (
    Schedule(initial_code(9, 52, 6, 6, 0, 1, 34), ()),
    ProtocolShape(
        PointClaims(2, 6), PointClaims(0, 0), SumcheckInstances(3, 7, 7, 2, 14), Lookups(12, 2452, 2), 13
    ),
)
DIGITS_CNN264K = (
    Schedule(initial_code(12, 65, 16, 5, 0, 0, 41), (Code(8, 4, 6, 34),)),
    ProtocolShape(
        PointClaims(2, 12), PointClaims(0, 0), SumcheckInstances(5, 14, 12, 2, 24), Lookups(16, 48403, 2), 19
    ),
)


@pytest.mark.parametrize(
    ("key", "total", "older"), [(DIGITS_MLP, 101.030, 96.512), (DIGITS_CNN264K, 100.206, 94.817)]
)
def test_the_totals_are_on_the_safe_side_of_an_audits(
    key: tuple[Schedule, ProtocolShape], total: float, older: float
) -> None:
    """Figures of another program, from the bytes of key files, with all of the field and exact lists."""
    assert total - 0.15 < total_bits(error_terms(*key)) < total
    # Folding errors, which are most of this sum, have the whole of the field's 0.94 bits.
    assert older - 0.6 < refereed_bits(*key) < older


def test_the_older_count_is_below_the_level_in_the_johnson_regime_only() -> None:
    for weight_values in (26_000, 264_000, 4_012_003):
        schedule = choose(weight_values, 60_000, DENSE_4M)
        assert 90 < refereed_bits(schedule, DENSE_4M) < 98
    unique = choose(264_000, 60_000, DENSE_4M, security_bits=128)
    assert refereed_bits(unique, DENSE_4M) == total_bits(error_terms(unique, DENSE_4M))


def test_unique_decoding_has_one_candidate_and_as_many_exceptional_challenges_as_places() -> None:
    for log_inverse_rate, log_length in ((1, 10), (5, 20)):
        regime = UniqueDecoding()
        agreement = regime.agreement_log2(log_inverse_rate)
        assert 2.0**agreement == pytest.approx((1 + 2.0**-log_inverse_rate) / 2)
        assert regime.list_size_log2(log_inverse_rate) == 0
        assert regime.exceptional_challenges_log2(log_length, log_inverse_rate) == log_length
        assert 2.0 ** regime.pairs_log2(log_inverse_rate) == 0


def test_unique_decoding_matches_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    analyse_with(monkeypatch, UniqueDecoding())
    for _, log_rows, log_inverse_rate, _, queries, bits in reference("unique_queries"):
        schedule = schedule_of(initial_code(log_rows, 1, 1, log_inverse_rate, 0, 0, queries))
        assert bits_of("initial code: queries", schedule) == pytest.approx(bits, abs=1e-6)
    for _, log_rows, log_inverse_rate, _, _, bits in reference("unique_line"):
        schedule = schedule_of(initial_code(log_rows, 1, 1, log_inverse_rate, 0, 0, 9))
        # Two matrices of a column: one round.
        assert bits_of("initial code: folding", schedule) == pytest.approx(bits, abs=1e-6)


def test_the_regime_of_a_code_is_one_in_all_its_terms() -> None:
    """A list of one has no out-of-domain error, and its batching no factor."""
    schedule = choose(264_000, 60_000, DENSE_4M, security_bits=128)
    terms = error_terms(schedule, DENSE_4M)
    details = {term.name: term.detail for term in terms}
    assert "unique decoding" in details["initial code: folding"]
    assert "unique decoding" in details["initial code: queries"]
    assert "list 2^0.00" in details["claim batching"]
    assert not [name for name in details if name.startswith("out-of-domain w")]


def test_one_hundred_bits_rest_on_the_johnson_regime_alone() -> None:
    for weight_values in (300, 26_000, 4_012_003):
        schedule = choose(weight_values, 6_000, DENSE_4M)
        assert not [term for term in error_terms(schedule, DENSE_4M) if "unique" in term.detail]


def test_a_level_is_required_as_the_schedule_states_it() -> None:
    schedule = choose(26_000, 6_000, SMALL_MLP, security_bits=128)
    assert schedule.security_bits == 128
    assert require_security(schedule, SMALL_MLP) >= 128
    assert 96 < total_bits(error_terms(choose(26_000, 6_000, SMALL_MLP), SMALL_MLP)) < 128
    raised = replace(choose(26_000, 6_000, SMALL_MLP), security_bits=128)
    with pytest.raises(SecurityError, match="128 are required"):
        require_security(raised, SMALL_MLP)
    levels: tuple[Any, ...] = (99, 0, 127, 129, 256, True, 128.0, "128")
    for level in levels:
        with pytest.raises(SecurityError, match="levels are"):
            replace(schedule, security_bits=level)


def test_what_is_in_the_way_of_a_level_is_said() -> None:
    """2^26 fractions of two columns have 2^28 roots: 126 bits."""
    shape = replace(SMALL_MLP, lookups=Lookups(log_leaves=26, fractions=1 << 26, width=2))
    choose(26_000, 6_000, shape)
    with pytest.raises(SecurityError, match=r"2\.0\d are missing.*lookup fingerprints, 126\.00 bits"):
        choose(26_000, 6_000, shape, security_bits=128)
    claims = replace(SMALL_MLP, claims=1 << 27)
    with pytest.raises(SecurityError, match=r"128 are required.*claim batching, 127"):
        choose(26_000, 6_000, claims, security_bits=128)


def test_queries_reach_past_a_folding_error_that_no_query_lowers() -> None:
    """Near 128 bits one query more changes nothing in the Johnson regime; many lead to unique decoding."""
    shape = SMALL_MLP
    schedule = Schedule(initial_code(9, 30, 13, 2, 0, 0, 1), (Code(5, 4, 2, 1),), 128)
    best = with_best_queries(schedule, shape)
    assert require_security(best, shape) >= 128
    assert require_security(with_most_queries(best), shape) >= 128
    johnson = total_bits(error_terms(with_most_queries(schedule), shape))
    assert johnson < 140


def test_the_largest_round_is_one_of_the_sum() -> None:
    for level in (100, 128):
        schedule = choose(4_012_003, 60_000, DENSE_4M, security_bits=level)
        terms = error_terms(schedule, DENSE_4M)
        largest = largest_round_bits(terms)
        assert total_bits(terms) < largest <= min(term.bits for term in terms)


AnyCode = TypeVar("AnyCode", InitialCode, Code)


def with_fewer_queries(code: AnyCode) -> AnyCode:
    return replace(code, queries=code.queries - 3)


@pytest.mark.parametrize("level", [100, 128])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_few_queries_less_are_refused(index: int, level: int) -> None:
    schedule = choose(4_012_003, 60_000, DENSE_4M, security_bits=level)
    assert require_security(schedule, DENSE_4M) >= level
    if index == 0:
        weaker = replace(schedule, initial=with_fewer_queries(schedule.initial))
    else:
        rounds = list(schedule.rounds)
        rounds[index - 1] = with_fewer_queries(rounds[index - 1])
        weaker = replace(schedule, rounds=tuple(rounds))
    with pytest.raises(SecurityError, match=f"{level} are required"):
        require_security(weaker, DENSE_4M)


def test_every_count_of_the_shape_costs_security() -> None:
    schedule = choose(26_000, 6_000, SMALL_MLP)
    before = sum(2.0**-term.bits for term in error_terms(schedule, SMALL_MLP))
    for part in ("public", "linear", "sumcheck", "lookups"):
        numbers = getattr(SMALL_MLP, part)
        for field in vars(numbers).keys() - {"coefficients"}:
            value = getattr(numbers, field)
            shape = replace(SMALL_MLP, **{part: replace(numbers, **{field: value + 1})})
            assert sum(2.0**-term.bits for term in error_terms(schedule, shape)) > before
    assert total_bits(error_terms(schedule, replace(SMALL_MLP, claims=1 << 30))) < 116
