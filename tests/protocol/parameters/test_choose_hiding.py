"""Schedules of hiding keys: they hold pads and proofs, and by default as many proofs as cost little."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ChoiceError, SecurityError
from deepprove_dist.protocol.parameters import (
    Lookups,
    ProofObjective,
    ProtocolShape,
    Weights,
    choose,
    proof_bytes,
    proving_milliseconds,
    require_security,
)
from tests.records import replace

from .shapes import DENSE_4M, SMALL_MLP, mlp_shape


@settings(max_examples=25)
@given(
    log_weights=st.floats(3.4, 27),
    log_witness=st.floats(3.4, 25),
    layers=st.integers(1, 60),
    log_leaves=st.integers(5, 22),
    objective=st.sampled_from(get_args(ProofObjective)),
    weights=st.sampled_from(get_args(Weights)),
    proofs=st.integers(1, 200),
    level=st.sampled_from((100, 128)),
)
def test_every_size_gets_a_secure_schedule_that_holds_values_pads_and_proofs(
    log_weights: float,
    log_witness: float,
    layers: int,
    log_leaves: int,
    objective: ProofObjective,
    weights: Weights,
    proofs: int,
    level: int,
) -> None:
    weight_values, witness_values = int(2**log_weights), int(2**log_witness)
    shape = mlp_shape(layers, log_leaves)
    schedule = choose(
        weight_values,
        witness_values,
        shape,
        objective=objective,
        weights=weights,
        security_bits=level,
        hiding=True,
        proofs=proofs,
    )
    initial = schedule.initial
    assert initial.hiding
    assert require_security(schedule, shape) >= level
    padded = witness_values + 5 * (shape.products.padded + 4)
    assert initial.witness_columns << initial.log_rows >= padded
    if weights == "public":
        assert (initial.weight_columns, initial.proofs) == (0, None)
        return
    rows = (1 << initial.log_rows) - initial.matrices[0].tail
    assert initial.weight_columns * rows >= weight_values
    assert initial.proofs is not None
    assert initial.proofs >= proofs


def factors(
    weights: int, witness: int, shape: ProtocolShape, proofs: int | None = None
) -> tuple[float, float]:
    """Bytes and milliseconds of a hiding proof, over those of a transparent one."""
    plain = choose(weights, witness, shape)
    hiding = choose(weights, witness, shape, hiding=True, proofs=proofs)
    return (
        proof_bytes(hiding, shape) / proof_bytes(plain, shape),
        proving_milliseconds(hiding, shape) / proving_milliseconds(plain, shape),
    )


VGG16 = (14_719_818, 974_871, replace(mlp_shape(14, 20), lookups=Lookups(20, 695_309, 2)))


def test_by_default_a_key_is_good_for_as_many_proofs_as_cost_little() -> None:
    def measure(proofs: int | None) -> float:
        schedule = choose(*VGG16, hiding=True, proofs=proofs)
        return float(proof_bytes(schedule, VGG16[2]) * proving_milliseconds(schedule, VGG16[2]) ** (1 / 3))

    default = choose(*VGG16, hiding=True)
    assert default == choose(*VGG16, hiding=True, proofs=128)
    assert max(factors(*VGG16)) <= 1.3
    assert measure(128) <= 1.05 * measure(16) < measure(256)


@pytest.mark.parametrize(
    ("weights", "witness", "shape"), [(26_000, 6_000, SMALL_MLP), (4_012_003, 30_000, DENSE_4M)]
)
def test_by_default_a_key_is_good_for_sixteen_proofs_at_least(
    weights: int, witness: int, shape: ProtocolShape
) -> None:
    assert max(factors(weights, witness, shape, proofs=32)) > 1.3
    assert choose(weights, witness, shape, hiding=True) == choose(
        weights, witness, shape, hiding=True, proofs=16
    )


def test_hiding_costs_little_where_witnesses_are_wide() -> None:
    size, time = factors(264_031, 68_839, mlp_shape(5, 17), proofs=16)
    assert 1 < size < 1.15
    assert 1 < time < 1.15


def test_more_proofs_cost_bytes_and_time_together() -> None:
    def measure(proofs: int) -> float:
        schedule = choose(264_000, 60_000, DENSE_4M, hiding=True, proofs=proofs)
        milliseconds = proving_milliseconds(schedule, DENSE_4M)
        measure: float = proof_bytes(schedule, DENSE_4M) * milliseconds**0.2
        return measure

    measures = [measure(proofs) for proofs in (1, 4, 16, 64, 256, 1024)]
    assert measures == sorted(measures)


def test_public_weights_have_no_budget() -> None:
    """Whatever number of proofs is asked for."""
    public = choose(26_000, 6_000, SMALL_MLP, weights="public", hiding=True)
    assert public.initial.proofs is None
    assert public == choose(26_000, 6_000, SMALL_MLP, weights="public", hiding=True, proofs=1 << 20)
    assert public == choose(0, 6_000, SMALL_MLP, hiding=True)


def test_transparent_schedules_have_nothing_of_it() -> None:
    plain = choose(26_000, 6_000, SMALL_MLP)
    assert not plain.initial.hiding
    assert all(matrix.tail == 0 for matrix in plain.initial.matrices)
    assert plain == choose(26_000, 6_000, SMALL_MLP, hiding=False, proofs=7)


@pytest.mark.parametrize(
    "choice", [{"hiding": 1}, {"hiding": "yes"}, {"proofs": 0}, {"proofs": True}, {"proofs": (1 << 20) + 1}]
)
def test_a_wrong_choice_is_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(ChoiceError):
        choose(1000, 1000, SMALL_MLP, **{"hiding": True, **choice})


def test_more_proofs_than_any_column_holds_are_refused() -> None:
    with pytest.raises(SecurityError, match="for 100000 proofs"):
        choose(26_000, 6_000, SMALL_MLP, hiding=True, proofs=100_000)
