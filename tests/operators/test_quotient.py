"""Quotients of computed tensors: exact in integers, close to onnxruntime, proven, and not to be forged."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.quotient import Quotient
from deepprove_dist.protocol.system.table import Table
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import (
    assert_every_lookup_is_needed,
    assert_lies_refused,
    assert_proven,
    assert_proven_in_both_modes,
    changed,
    quantised,
    text_model,
)
from tests.records import replace

CONSTANTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[3,2] w = {1, -2, 3, 1, -1, 2}, "
    "float[4,3] u = {1, 0.5, -1, 0.5, 0.25, 2, -1, 0.5, 0.75, 0.5, -2, 1}, float o = {0.3}"
)
LAYERS = "a = MatMul (x, v) b = MatMul (x, u) s = Sigmoid (b) d = Add (s, o) "
BODIES = {
    "an output": LAYERS + "y = Div (a, d)",
    "before a layer": LAYERS + "q = Div (a, d) y = MatMul (q, w)",
    "before a function": LAYERS + "q = Div (a, d) t = Tanh (q) y = MatMul (t, w)",
    "by a negative tensor": LAYERS + "n = Neg (d) y = Div (a, n)",
    "by a tensor that is repeated": LAYERS + "r = ReduceSum (d) y = Div (a, r)",
    "of sum one": "a = MatMul (x, v) y = LpNormalization <p=1> (a)",
}
NODE = Node("quotient", "n", ("a", "b"), "y", {"multiplier": 20})


def network(divisor: tuple[int, int] = (3, 60)) -> IntegerModel:
    net = Network((1, 3), interval=(0, 60))
    dividend = net.relu(net.dense("x", 4))
    other = net.relu(net.dense("x", 4))
    low, high = net.interval(other)
    ends = np.linspace(*divisor, high - low + 1).astype(np.int64)
    attributes: dict[str, Attribute] = {"shift": 0, "table": Table.from_values(low, ends), "limbs": ()}
    other = net.node("requantise", (other,), attributes)
    return net.model(net.relu(net.node("quotient", (dividend, other), {"multiplier": 20})))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_are_proven_and_close(body: str) -> None:
    model = assert_proven(text_model(body, "float[1,3,4] x", CONSTANTS), 0.03)
    assert any(node.operator == "quotient" for node in model.nodes)


@settings(deadline=None)
@given(a=st.integers(-500, 500), b=st.integers(1, 99), sign=st.sampled_from((1, -1)), m=st.integers(1, 40))
def test_quotients_are_exact_and_within_their_interval(a: int, b: int, sign: int, m: int) -> None:
    node = replace(NODE, attributes={"multiplier": m})
    inference = Quotient().infer(node, [np.array([[a]]), np.array([[sign * b]])])
    assert inference.output.item() == floor(Fraction(sign * m * a, b) + Fraction(1, 2))
    remainder = inference.columns["r"].item()
    assert 2 * sign * m * a + b == 2 * inference.output.item() * b + remainder
    assert inference.columns["s"].item() == 2 * b - 1 - remainder >= 0 <= remainder
    ends = (1, 99) if sign == 1 else (-99, -1)
    low, high = Quotient().interval(node, [(-500, 500), ends], {})
    assert low <= inference.output.item() <= high


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="may be 0"):
        Quotient().interval(NODE, [(0, 9), (-1, 9)], {})
    with pytest.raises(ModelError, match="multiplier"):
        Quotient().interval(replace(NODE, attributes={"multiplier": 0}), [(0, 9), (1, 9)], {})
    with pytest.raises(ModelError, match="too large"):
        Quotient().interval(NODE, [(0, 2**20), (1, 9)], {})
    with pytest.raises(ModelError, match="constant"):
        Quotient().interval(NODE, [(0, 9), (1, 9)], {"b": np.array([1])})


def test_a_divisor_that_changes_its_sign_is_refused_by_name() -> None:
    body = "a = MatMul (x, v) b = MatMul (x, u) y = Div (a, b)"
    imported = import_proto(text_model(body, "float[1,4] x", CONSTANTS))
    with pytest.raises(QuantisationError, match="'b' divides another tensor"):
        quantised(imported)


@pytest.mark.parametrize("divisor", [(3, 60), (-3, -60)])
def test_relations_hold_over_the_integers(divisor: tuple[int, int]) -> None:
    check_inference(network(divisor), {"x": np.random.default_rng(2).integers(0, 61, (5, 1, 3))})


def test_a_proof_of_several_samples_is_taken_in_both_modes() -> None:
    assert_proven_in_both_modes(network(), {"x": np.random.default_rng(2).integers(0, 61, (2, 1, 3))})


def test_lies_are_refused_and_every_lookup_is_needed() -> None:
    assert_every_lookup_is_needed(network())
    x = np.random.default_rng(4).integers(0, 61, (2, 1, 3))
    attacker = LyingProver(make_key(network(), folds=False), {"x": x})
    node = next(node for node in attacker.model.nodes if node.operator == "quotient")
    step = 2 * int(attacker.honest.trace.values[node.inputs[1]].reshape(-1)[1])
    assert_lies_refused(
        attacker,
        "quotient",
        {
            "a quotient": changed(output=(1, 1)),
            "a quotient above": changed(output=(1, 1), r=(1, -step), s=(1, step)),
            "a quotient below": changed(output=(1, -1), r=(1, step), s=(1, -step)),
            "a remainder": changed(r=(1, 1), s=(1, -1)),
        },
    )
