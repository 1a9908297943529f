"""Every proof that is made verifies: random models, random inputs over the whole range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import BudgetError, FormatError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import analyse, derive
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.requantise import quotient
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Attempt, Prover, prove
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.model.small_model import small_model
from tests.protocol.example import ATTEMPT
from tests.random_models import inputs, models
from tests.records import replace

POOL = Pool(2)


def check_a_proof(data: st.DataObject, model: IntegerModel) -> None:
    """Makes keys with drawn options, proves drawn inputs, and verifies with the key as read from its file."""
    analyse(model)
    weights: Weights = data.draw(st.sampled_from(("committed", "committed", "public")))
    hiding = data.draw(st.booleans())
    options = Options(
        weights=weights,
        objective=data.draw(st.sampled_from(("default", "small", "fast"))),
        max_batch=data.draw(st.sampled_from((1, 1, 2, 5))),
        security=data.draw(st.sampled_from((100, 100, 128))),
        hiding=hiding,
        proofs=data.draw(st.sampled_from((None, 1, 40))) if hiding and weights == "committed" else None,
    )
    samples = data.draw(st.integers(1, options.max_batch))
    key = Prover.generate(model, options, POOL)
    trace = key.runner.run(data.draw(inputs(model, samples)))
    attempt = ATTEMPT if options.hiding else None
    proof = prove(key, trace, samples, b"context", attempt)
    verifying = key_file.load(key_file.dump(key.verifying))
    statement = verify(verifying, proof, context=b"context", weights=key.public_weights)
    for tensor in model.inputs:
        assert np.array_equal(statement.input_integers[tensor.name], trace.values[tensor.name])
    for tensor in model.outputs:
        assert np.array_equal(statement.output_integers[tensor.name], trace.outputs[tensor.name])


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models())
def test_every_proof_verifies(data: st.DataObject, model: IntegerModel) -> None:
    check_a_proof(data, model)


def one_layer(weights: list[list[int]], *nodes: Node) -> IntegerModel:
    """A dense layer of bytes and what follows it, with the last tensor as output."""
    inputs = (ModelTensor("x", (len(weights[0]),), -128, 127, Scale.of(1.0)),)
    constants = {"w": np.array(weights, dtype=np.int64)}
    nodes = (Node("dense", "dense", ("x", "w"), "acc", {}), *nodes)
    analysis, name = derive(inputs, constants, nodes), nodes[-1].output
    output = ModelTensor(name, analysis.shapes[name], *analysis.intervals[name], Scale.of(1.0))
    return IntegerModel(inputs, (output,), constants, nodes)


def requantise(shift: int, table: Table, limbs: tuple[int, ...]) -> Node:
    attributes: dict[str, Attribute] = {"shift": shift, "table": table, "limbs": limbs}
    return Node("requantise", "shift", ("acc",), "y", attributes)


def prove_and_verify(model: IntegerModel, x: IntArray) -> IntArray:
    """The proven output."""
    key = Prover.generate(model, Options(max_batch=len(x)), POOL)
    proof = prove(key, key.runner.run({"x": x}), len(x))
    return verify(key.verifying, proof).output_integers[model.outputs[0].name]


EXTREMES = np.array([[127, -128, 127, -128], [-128, 127, -128, 127], [127] * 4, [-128] * 4])


@pytest.mark.parametrize(("weight", "shift"), [(2_088_000, 14), (130_000, 14), (1, 0), (1, 9), (4096, 13)])
def test_sums_at_both_ends_of_a_table_as_tight_as_can_be(weight: int, shift: int) -> None:
    largest = 2 * weight * (127 + 128)
    low, high = quotient(-largest, shift), quotient(largest, shift)
    table = Table.from_values(low, np.clip(np.arange(low, high + 1), -(2**15), 2**15 - 1))
    limbs = (shift - 1, 1) if shift else ()
    model = one_layer([[weight, -weight, weight, -weight]], requantise(shift, table, limbs))
    outputs = prove_and_verify(model, EXTREMES)
    assert outputs[:2].reshape(-1).tolist() == table.apply(np.array([high, low])).tolist()


def test_a_table_and_a_shift_that_fill_the_field() -> None:
    table = Table.from_values(-(MODULUS >> 15), np.zeros(MODULUS >> 14, dtype=np.int64))
    model = one_layer([[4_170_000, -4_170_000]], requantise(14, table, (14,)))
    assert not prove_and_verify(model, EXTREMES[:, :2]).any()


def test_outputs_at_both_ends_of_the_field() -> None:
    weight = LARGEST_SIGNED // 128
    outputs = prove_and_verify(one_layer([[weight], [-weight]]), EXTREMES[:, :1])
    assert outputs.tolist() == (EXTREMES[:, :1] * [[weight, -weight]]).tolist()


def test_a_model_without_weights_or_relations() -> None:
    public = ModelTensor("x", (2,), -3, 3, Scale.of(1.0))
    model = IntegerModel((public,), (public,), {}, ())
    assert prove_and_verify(model, np.array([[-3, 3]])).tolist() == [[-3, 3]]
    assert Prover.generate(model, Options(), POOL).verifying.weights is None


@pytest.mark.parametrize("weights", ["committed", "public"])
def test_a_reservation_counts_in_its_epoch_alone(weights: Weights) -> None:
    key = Prover.generate(small_model(), Options(weights, hiding=True), POOL)
    trace = key.runner.run({"x": np.zeros((1, 1, 2, 2), dtype=np.int64)})
    with pytest.raises(BudgetError, match="reservation of epoch 1 is no part of the budget of epoch 0"):
        prove(key, trace, 1, attempt=Attempt(Reservation.draw(1, 0)))
    with pytest.raises(BudgetError, match="needs a reservation"):
        prove(key, trace, 1)
    verify(
        key.verifying,
        prove(key, trace, 1, attempt=Attempt(Reservation.draw(0, 0))),
        weights=key.public_weights,
    )


@pytest.mark.parametrize("hiding", [False, True])
@pytest.mark.parametrize("weights", ["committed", "public"])
def test_a_key_is_loaded_from_model_and_verifying_key(weights: Weights, hiding: bool) -> None:
    key = Prover.generate(small_model(), Options(weights, hiding=hiding), POOL)
    again = Prover.load(small_model(), key.verifying, POOL, key.secret)
    trace, attempt = key.runner.run({"x": np.array([[[[1, 2], [-8, 7]]]])}), ATTEMPT if hiding else None
    proof = prove(key, trace, 1, attempt=attempt)
    assert prove(again, trace, 1, attempt=attempt) == proof


def test_a_hiding_proof_is_a_function_of_its_attempt() -> None:
    key = Prover.generate(small_model(), Options(hiding=True), POOL)
    trace, reservation = key.runner.run({"x": np.array([[[[1, 2], [-8, 7]]]])}), ATTEMPT.reservation
    attempts = (
        ATTEMPT,
        replace(ATTEMPT, number=1),
        replace(ATTEMPT, reservation=replace(reservation, number=1)),
        replace(ATTEMPT, reservation=replace(reservation, nonce=bytes([1] * 32))),
    )
    proofs = [prove(key, trace, 1, attempt=attempt) for attempt in attempts]
    assert len(set(proofs)) == len(attempts)
    assert prove(key, trace, 1, attempt=ATTEMPT) == proofs[0]
    assert prove(key, trace, 1, b"context", ATTEMPT) != proofs[0]
    with pytest.raises(BudgetError, match="reservation"):
        prove(key, trace, 1)


def test_a_new_secret_is_drawn_for_each_hiding_key() -> None:
    first, second = (Prover.generate(small_model(), Options(hiding=True), POOL) for _ in range(2))
    assert first.secret is not None
    assert first.secret != second.secret
    assert first.verifying.digest != second.verifying.digest
    assert first.verifying.model_digest != second.verifying.model_digest
    with pytest.raises(FormatError, match="the integer model and the secret"):
        Prover.load(small_model(), first.verifying, POOL, second.secret)
    with pytest.raises(FormatError, match="needs the secret"):
        Prover.load(small_model(), first.verifying, POOL)
    transparent = Prover.generate(small_model(), Options(), POOL)
    assert transparent.secret is None
    with pytest.raises(FormatError, match="no other key has one"):
        Prover.load(small_model(), transparent.verifying, POOL, first.secret)


def test_a_key_of_another_model_is_not_loaded() -> None:
    model = small_model()
    key = Prover.generate(model, Options(), POOL)
    other = replace(model, constants={**model.constants, "b1": model.constants["b1"] + np.array([1, 0, 0])})
    with pytest.raises(FormatError, match="are not those that the verifying key was made for"):
        Prover.load(other, key.verifying, POOL)
    assert key.verifying.weights is not None
    wrong = replace(key.verifying, weights=replace(key.verifying.weights, root=bytes(32)))
    with pytest.raises(FormatError, match="commitment of other weights"):
        Prover.load(model, wrong, POOL)


@pytest.mark.slow
@settings(max_examples=3000, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models())
def test_every_one_of_many_proofs_verifies(data: st.DataObject, model: IntegerModel) -> None:
    check_a_proof(data, model)
