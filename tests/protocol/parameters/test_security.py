"""The soundness account against p3-security, against exact arithmetic, and as a gate."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TypeVar

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import (
    Code,
    InitialCode,
    Lookups,
    ProtocolShape,
    Schedule,
    SumcheckInstances,
    choose,
    error_terms,
    require_security,
    security,
    total_bits,
)
from deepprove_dist.protocol.parameters.proximity import exceptional_challenges_log2, list_size_log2

from .shapes import DENSE_4M, SMALL_MLP

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
    rest = (Code(last - 8, 8, 4, 40),) if last > 10 else ()
    return Schedule(initial, (*rounds, *rest))


def test_terms_of_the_initial_code_match_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "out_of_domain": "out-of-domain witness",
        "fold_sumcheck": "initial code: sumcheck",
        "queries": "initial code: queries",
    }
    for quantity, log_rows, log_inverse_rate, m, queries, bits in reference(*names):
        monkeypatch.setattr(security, "list_parameter", lambda code, queries, m=m: m)
        schedule = schedule_of(InitialCode(log_rows, 1, 1, log_inverse_rate, 0, 0, max(queries, 1)))
        assert bits_of(names[quantity], schedule) == pytest.approx(bits, abs=1e-6)


def test_query_combination_matches_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, log_rows, log_inverse_rate, m, queries, bits in reference("query_combination"):
        monkeypatch.setattr(security, "list_parameter", lambda code, queries, m=m: m)
        schedule = schedule_of(
            InitialCode(log_rows + 1, 1, 1, 1, 0, 0, queries), Code(log_rows, 1, log_inverse_rate, 9)
        )
        assert bits_of("query combination round 0", schedule) == pytest.approx(bits, abs=1e-6)


def test_claim_batching_matches_p3_security(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, log_rows, log_inverse_rate, m, claims, bits in reference("claim_batching"):
        monkeypatch.setattr(security, "list_parameter", lambda code, queries, m=m: m)
        schedule = schedule_of(InitialCode(log_rows, 0, 1, log_inverse_rate, 0, 0, 1))
        # With one matrix there is one out-of-domain claim besides the shape's.
        shape = replace(SMALL_MLP, claims=claims - 1)
        assert bits_of("claim batching", schedule, shape) == pytest.approx(bits, abs=1e-6)


def test_list_size_matches_p3_security() -> None:
    for _, _, log_inverse_rate, m, _, bits in reference("list_size"):
        assert list_size_log2(log_inverse_rate, m) == pytest.approx(bits, abs=1e-6)


def test_folding_is_more_cautious_than_the_newest_bound() -> None:
    """Eprint 2025/2055 counts t^2 / (4 sqrt(rate)) times the exceptional challenges of 2026/2056."""
    for _, log_rows, log_inverse_rate, m, _, newest in reference("line_2026_2056"):
        bits = 154 - exceptional_challenges_log2(log_rows + log_inverse_rate, log_inverse_rate, m)
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
            sumcheck=SumcheckInstances(count=17, point_variables=5, variables=variables, degree=3),
            lookups=Lookups(log_leaves, fractions, width),
        )
        assert bits_of(names[quantity], schedule, shape) == pytest.approx(bits, abs=1e-6)


def test_the_final_sumcheck_has_rounds_of_degree_two() -> None:
    """Too small beside the other terms to be seen in their sum."""
    assert bits_of("final sumcheck", schedule_of(InitialCode(8, 1, 1, 2, 0, 0, 40))) == 154 - 4


def exact_error(schedule: Schedule, shape: ProtocolShape) -> Decimal:
    """The union bound, written down again from the papers."""
    field = Decimal(2) ** 154
    layers = shape.lookups.log_leaves
    rounds_of_tree = sum(2 + 3 * layer for layer in range(layers))
    roots = Decimal(
        shape.public.count * shape.public.variables
        + shape.linear.count * shape.linear.variables
        + shape.sumcheck.count * shape.sumcheck.point_variables
        + (shape.sumcheck.count - 1)
        + shape.sumcheck.variables * shape.sumcheck.degree
        + shape.lookups.fractions * (shape.lookups.width + 2)
        + rounds_of_tree
        + 2 * schedule.final_log
    )
    missed = Decimal(0)
    previous = 0
    for code in schedule.codes:
        m = security.list_parameter(code, code.queries)
        rate = Decimal(2) ** -code.log_inverse_rate
        length = 2**code.log_rows / rate
        eta = rate.sqrt() / (2 * m)
        gamma = 1 - rate.sqrt() - eta
        candidates = 1 / (2 * eta * rate.sqrt())
        half = m + Decimal("0.5")
        line = (2 * half**5 + 3 * half * gamma * rate) / (3 * rate) * length + half
        line /= rate.sqrt()
        roots += code.column_rounds * (2 * candidates + line)
        if isinstance(code, InitialCode):
            roots += (shape.claims + len(code.trees) - 1) * candidates
            roots += code.columns * 2**code.log_rows * candidates**2 / 2
        else:
            roots += (previous + 1) * 2 * candidates
            roots += 2 ** (code.log_rows + code.log_columns) * candidates**2 / 2
        missed += (1 - gamma) ** code.queries
        previous = code.queries
    return roots / field + missed


@pytest.mark.parametrize("weight_values", [300, 26_000, 4_012_003, 1 << 27])
def test_the_total_matches_an_independent_computation(weight_values: int) -> None:
    schedule = choose(weight_values, 6_000, DENSE_4M)
    with localcontext() as context:
        context.prec = 80
        exact = -exact_error(schedule, DENSE_4M).ln() / Decimal(2).ln()
    assert Decimal(total_bits(error_terms(schedule, DENSE_4M))) == pytest.approx(exact, abs=Decimal("1.1e-6"))


@pytest.mark.parametrize("queries", [1, 20, 68, 400])
@pytest.mark.parametrize("log_rows", [1, 9, 16, 21])
@pytest.mark.parametrize("log_inverse_rate", [1, 3])
def test_the_list_parameter_is_the_best(log_rows: int, log_inverse_rate: int, queries: int) -> None:
    code = Code(log_rows, 4, log_inverse_rate, queries)
    best = min(security.opening_error(code, queries, m) for m in range(3, 1001))
    chosen = security.list_parameter(code, queries)
    assert security.opening_error(code, queries, chosen) == pytest.approx(best, rel=1e-12)


AnyCode = TypeVar("AnyCode", InitialCode, Code)


def with_fewer_queries(code: AnyCode) -> AnyCode:
    return replace(code, queries=code.queries - 3)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_few_queries_less_are_refused(index: int) -> None:
    schedule = choose(4_012_003, 60_000, DENSE_4M)
    assert require_security(schedule, DENSE_4M) >= 100
    if index == 0:
        weaker = replace(schedule, initial=with_fewer_queries(schedule.initial))
    else:
        rounds = list(schedule.rounds)
        rounds[index - 1] = with_fewer_queries(rounds[index - 1])
        weaker = replace(schedule, rounds=tuple(rounds))
    with pytest.raises(SecurityError, match="100 are required"):
        require_security(weaker, DENSE_4M)


def test_every_count_of_the_shape_costs_security() -> None:
    schedule = choose(26_000, 6_000, SMALL_MLP)
    before = sum(2.0**-term.bits for term in error_terms(schedule, SMALL_MLP))
    for part in ("public", "linear", "sumcheck", "lookups"):
        numbers = getattr(SMALL_MLP, part)
        for field, value in vars(numbers).items():
            shape = replace(SMALL_MLP, **{part: replace(numbers, **{field: value + 1})})
            assert sum(2.0**-term.bits for term in error_terms(schedule, shape)) > before
    assert total_bits(error_terms(schedule, replace(SMALL_MLP, claims=1 << 30))) < 116
