"""Times grow with what they count."""

from __future__ import annotations

import pytest

from deepprove_dist.protocol.parameters import (
    Lookups,
    choose,
    estimated_milliseconds,
    loading_milliseconds,
    proving_milliseconds,
)
from deepprove_dist.protocol.parameters.times import MEASURED, PRICES, Times
from tests.records import replace

from .shapes import DENSE_4M, changed_matrix

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
