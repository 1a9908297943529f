"""The chosen schedules: always secure, within the targets for known models, better where asked to be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ChoiceError, SecurityError
from deepprove_dist.protocol.parameters import (
    ProofObjective,
    ProtocolShape,
    SumcheckInstances,
    Weights,
    choose,
    proof_bytes,
    proving_milliseconds,
    require_security,
)
from tests.records import replace

from .shapes import DENSE_4M, SMALL_MLP, mlp_shape

KB = 1024


@pytest.mark.parametrize(
    ("weight_values", "witness_values", "shape", "weights", "kilobytes", "milliseconds"),
    [
        (26_000, 6_000, SMALL_MLP, "committed", 60, 8),
        (51_000, 8_000, SMALL_MLP, "committed", 60, 8),
        (4_012_003, 31_500, DENSE_4M, "committed", 135, 80),
        (26_000, 6_000, SMALL_MLP, "public", 45, 8),
        (4_012_003, 60_000, DENSE_4M, "public", 60, 80),
    ],
)
def test_targets(
    weight_values: int,
    witness_values: int,
    shape: ProtocolShape,
    weights: Weights,
    kilobytes: int,
    milliseconds: int,
) -> None:
    schedule = choose(weight_values, witness_values, shape, weights=weights)
    assert proof_bytes(schedule, shape) <= kilobytes * KB
    assert proving_milliseconds(schedule, shape) <= milliseconds


@settings(max_examples=60)
@given(
    log_weights=st.floats(3.4, 27),
    log_witness=st.floats(3.4, 25),
    layers=st.integers(1, 60),
    log_leaves=st.integers(5, 27),
    objective=st.sampled_from(get_args(ProofObjective)),
    weights=st.sampled_from(get_args(Weights)),
)
def test_every_size_gets_a_secure_schedule_that_holds_it(
    log_weights: float,
    log_witness: float,
    layers: int,
    log_leaves: int,
    objective: ProofObjective,
    weights: Weights,
) -> None:
    weight_values, witness_values = int(2**log_weights), int(2**log_witness)
    shape = mlp_shape(layers, log_leaves)
    schedule = choose(weight_values, witness_values, shape, objective=objective, weights=weights)
    initial = schedule.initial
    assert require_security(schedule, shape) >= 100
    assert initial.witness_columns << initial.log_rows >= witness_values
    assert initial.weight_columns << initial.log_rows >= (weight_values if weights == "committed" else 0)
    assert (initial.weight_columns == 0) == (weights == "public")


@settings(max_examples=40)
@given(
    log_weights=st.floats(3.4, 27),
    log_witness=st.floats(3.4, 24),
    layers=st.integers(1, 60),
    log_leaves=st.integers(5, 27),
    objective=st.sampled_from(get_args(ProofObjective)),
    weights=st.sampled_from(get_args(Weights)),
)
def test_the_second_level_is_reached_or_what_is_in_the_way_is_named(
    log_weights: float,
    log_witness: float,
    layers: int,
    log_leaves: int,
    objective: ProofObjective,
    weights: Weights,
) -> None:
    weight_values, witness_values = int(2**log_weights), int(2**log_witness)
    shape = mlp_shape(layers, log_leaves)
    if log_leaves >= 25:
        # Three quarters of 2^l leaves, four roots each: too many for 154 bits.
        with pytest.raises(SecurityError, match="lookup fingerprints"):
            choose(
                weight_values, witness_values, shape, objective=objective, weights=weights, security_bits=128
            )
        return
    schedule = choose(
        weight_values, witness_values, shape, objective=objective, weights=weights, security_bits=128
    )
    assert require_security(schedule, shape) >= 128
    assert schedule.security_bits == 128
    assert schedule.initial.witness_columns << schedule.initial.log_rows >= witness_values


@pytest.mark.parametrize(
    "choice",
    [{"weights": "Committed"}, {"weights": ""}, {"objective": "quick"}, {"security_bits": 112}],
)
def test_a_misspelt_choice_is_refused_with_what_there_is(choice: dict[str, Any]) -> None:
    with pytest.raises(ChoiceError, match="is one of"):
        choose(1000, 1000, SMALL_MLP, **choice)


def test_sizes_beyond_the_field_are_refused() -> None:
    with pytest.raises(SecurityError, match="rows"):
        choose(1 << 31, 1 << 20, DENSE_4M)


def test_a_shape_that_no_query_can_make_secure_is_refused() -> None:
    hopeless = replace(SMALL_MLP, sumcheck=SumcheckInstances(1 << 60, 10, 10, 2, 20))
    with pytest.raises(SecurityError, match="relation points"):
        choose(26_000, 6_000, hopeless)


@pytest.mark.parametrize("weight_values", [26_000, 264_000, 4_012_003])
def test_profiles_trade_bytes_for_time(weight_values: int) -> None:
    schedules = [choose(weight_values, 30_000, DENSE_4M, objective=p) for p in ("small", "default", "fast")]
    sizes = [proof_bytes(schedule, DENSE_4M) for schedule in schedules]
    times = [proving_milliseconds(schedule, DENSE_4M) for schedule in schedules]
    assert sizes == sorted(sizes)
    assert times == sorted(times, reverse=True)


def test_proofs_grow_slowly_with_the_model() -> None:
    sizes = [proof_bytes(choose(1 << log, 1 << 14, DENSE_4M), DENSE_4M) for log in range(10, 28)]
    assert all(after > 0.97 * before for before, after in pairwise(sizes))
    assert sizes[-1] < 5 * sizes[0]


def test_public_weights_are_shorter() -> None:
    committed, public = (choose(26_000, 6_000, SMALL_MLP, weights=w) for w in get_args(Weights))
    assert proof_bytes(public, SMALL_MLP) < proof_bytes(committed, SMALL_MLP)
