"""Times grow with what they count."""

from __future__ import annotations

import pytest

from deepprove_dist.protocol.parameters import (
    InitialCode,
    Lookups,
    Schedule,
    choose,
    estimated_milliseconds,
    loading_milliseconds,
    proving_milliseconds,
)
from deepprove_dist.protocol.parameters.times import MEASURED, PRICES, Times
from tests.records import replace

from .shapes import DENSE_4M, SMALL_MLP, changed_matrix, hiding_code

WEIGHTS, WITNESS = 4_012_003, 60_000


@pytest.mark.parametrize("times", [PRICES, MEASURED])
def test_times_grow_with_what_they_count(times: Times) -> None:
    schedule = choose(WEIGHTS, WITNESS, DENSE_4M)
    initial = schedule.initial
    wider = replace(schedule, initial=changed_matrix(initial, "weights", columns=200))
    public = replace(initial, matrices=initial.matrices[1:])
    shorter = replace(schedule, rounds=schedule.rounds[:1])
    least = proving_milliseconds(schedule, DENSE_4M, times)
    assert proving_milliseconds(wider, DENSE_4M, times) > least
    assert proving_milliseconds(shorter, DENSE_4M, times) < least
    assert loading_milliseconds(wider.initial, times) > loading_milliseconds(initial, times)
    assert loading_milliseconds(public, times) == 0


def test_an_estimate_counts_contractions_lookups_and_weights() -> None:
    schedule = choose(WEIGHTS, WITNESS, DENSE_4M)
    least = estimated_milliseconds(schedule, DENSE_4M, WEIGHTS)
    sumcheck, lookups = DENSE_4M.sumcheck, DENSE_4M.lookups
    deeper = replace(DENSE_4M, sumcheck=replace(sumcheck, count=2 * sumcheck.count))
    busier = replace(DENSE_4M, lookups=Lookups(lookups.log_leaves, lookups.fractions + 1000, lookups.width))
    assert estimated_milliseconds(schedule, deeper, WEIGHTS) > least
    assert estimated_milliseconds(schedule, busier, WEIGHTS) > least
    assert estimated_milliseconds(schedule, DENSE_4M, 2 * WEIGHTS) > least


def test_public_weights_are_read_once_more() -> None:
    """Not committed, but evaluated for the claims about them."""
    committed, public = (choose(WEIGHTS, WITNESS, DENSE_4M, weights=w) for w in ("committed", "public"))
    once, other = (
        estimated_milliseconds(schedule, DENSE_4M, 2 * WEIGHTS)
        - estimated_milliseconds(schedule, DENSE_4M, WEIGHTS)
        for schedule in (committed, public)
    )
    assert other == pytest.approx(2 * once)


@pytest.mark.parametrize("times", [PRICES, MEASURED])
def test_a_hiding_proof_takes_longer_with_all_that_hides(times: Times) -> None:
    code = hiding_code(10, 3, 70, weights=20, witness=9, tail=512)
    plain = replace(code, hiding=False, matrices=tuple(replace(m, tail=0) for m in code.matrices))

    def milliseconds(initial: InitialCode, further: Times = times) -> float:
        return proving_milliseconds(Schedule(initial, ()), SMALL_MLP, further)

    columns = 5 * times.base_value * (1 << 13) / 1e6
    assert milliseconds(code) - milliseconds(plain) > columns
    grouped = changed_matrix(code, "witness", log_group=1)
    assert grouped.random_rows == code.random_rows + 70
    drawn = 9 * 70 * times.random_value / 1e6
    saved = times.leaf * (1 << 12) / 1e6
    assert milliseconds(grouped) - milliseconds(code) + saved > drawn
    for field in ("random_value", "mask_row", "pad"):
        slower = replace(times, **{field: 2 * getattr(times, field)})
        assert milliseconds(code, slower) > milliseconds(code)
        assert milliseconds(plain, slower) == milliseconds(plain)


def test_weights_with_tails_take_longer_to_load() -> None:
    plain, hiding = (choose(WEIGHTS, WITNESS, DENSE_4M, hiding=hiding) for hiding in (False, True))
    assert hiding.initial.weight_columns > plain.initial.weight_columns
    assert loading_milliseconds(hiding.initial) > loading_milliseconds(plain.initial)
