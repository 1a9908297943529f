"""Square roots of sums: exact in integers, close to onnxruntime near 0 too, proven, and not to be forged."""

from __future__ import annotations

from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.square_root import FloatRoot, Root
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import assert_same
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import (
    assert_every_lookup_is_needed,
    assert_lies_refused,
    assert_proven,
    assert_proven_in_both_modes,
    changed,
    compare,
    text_model,
)

CONSTANTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[4,3] u = {1, 0.5, -1, 0.5, 0.25, 2, -1, 0.5, 0.75, 0.5, -2, 1}, "
    "float[3,2] w = {1, -2, 3, 1, -1, 2}, int64[1] last = {-1}, float e = {0.01}"
)
NORM = "a = MatMul (x, v) q = Mul (a, a) s = ReduceSum <keepdims=1> (q, last) "
BODIES = {
    "an output": NORM + "y = Sqrt (s)",
    "with a number under it": NORM + "t = Add (s, e) y = Sqrt (t)",
    "before a layer": "a = MatMul (x, v) b = MatMul (x, u) q = Mul (a, a) p = Mul (b, b) s = Add (q, p) "
    "r = Sqrt (s) y = MatMul (r, w)",
    "before a function": NORM + "r = Sqrt (s) y = Tanh (r)",
    "of a reduction": "a = MatMul (x, v) y = ReduceL2 <axes=[-1]> (a)",
    "of a mean": "a = MatMul (x, v) q = Mul (a, a) s = ReduceMean <axes=[-1]> (q) y = Sqrt (s)",
    "of sums with weights": "a = MatMul (x, v) q = Mul (a, a) z = Abs (w) s = MatMul (q, z) y = Sqrt (s)",
}
NODE = Node("square_root", "n", ("v",), "y", {})


def network() -> IntegerModel:
    net = Network((1, 3), interval=(0, 60))
    return net.model(net.relu(net.node("square_root", (net.relu(net.dense("x", 4)),), {})))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_are_proven_and_close(body: str) -> None:
    model = assert_proven(text_model(body, "float[1,3,4] x", CONSTANTS), 0.03)
    assert any(node.operator == "square_root" for node in model.nodes)


def test_small_values_are_close_among_large_ones() -> None:
    """A table of the sum would take the root of all sums below a step of its argument for 0."""
    constants = "float[1,2,1] c = {0.1, 5}, int64[1] last = {-1}"
    body = "a = Mul (x, c) q = Mul (a, a) s = ReduceSum <keepdims=0> (q, last) y = Sqrt (s)"
    imported = assert_same(text_model(body, "float[1,2,3] x", constants, opset=13))
    samples = Samples({"x": np.random.default_rng(3).normal(size=(64, 1, 2, 3))}, None)
    statistics = calibrate(FloatModel(imported), samples)
    close, real = compare(imported, quantise(imported.graph, statistics, 12).model, samples)
    errors = np.sqrt(np.square(close - real).mean(axis=0)) / real.std(axis=0)
    assert errors.max() < 0.05


# The sum of all squares but the largest: not negative, but its bounds do not say so.
OTHERS = NORM + "m = ReduceMax <axes=[-1]> (q) d = Sub (s, m) r = Sqrt (d) "


@pytest.mark.parametrize("after", ["y = Mul (r, e)", "t = Sin (r) y = MatMul (t, k)"])
def test_a_sum_that_may_be_negative_has_a_table(after: str) -> None:
    """Of the root, and of what comes after it."""
    proto = text_model(OTHERS + after, "float[1,3,4] x", CONSTANTS + ", float[1,2] k = {1, -2}")
    assert any(isinstance(node, FloatRoot) for node in import_proto(proto).graph.nodes)
    model = assert_proven(proto, 0.15)
    assert not any(node.operator == "square_root" for node in model.nodes)


def test_sums_that_are_always_zero_have_a_root() -> None:
    body = "a = Mul (x, o) q = Mul (a, a) s = ReduceSum <keepdims=1> (q, last) r = Sqrt (s) y = Sub (x, r)"
    assert_proven(text_model(body, "float[1,3,4] x", CONSTANTS + ", float o = {0}"), 0.02)


@given(st.integers(0, LARGEST_SIGNED - 1))
def test_roots_are_exact_and_within_their_interval(v: int) -> None:
    inference = Root().infer(NODE, [np.array([[v]])])
    root, remainder = inference.output.item(), inference.columns["root_r"].item()
    assert root in (isqrt(v + 1), isqrt(v + 1) + 1)
    assert v + 1 == root**2 + root - remainder
    assert inference.columns["root_s"].item() == 2 * root - 1 - remainder >= 0 <= remainder
    low, high = Root().interval(NODE, [(0, v)], {})
    assert low <= root <= high


def test_what_does_not_fit_is_refused() -> None:
    for interval in ((-1, 5), (0, 2**30)):
        with pytest.raises(ModelError, match="a root of values in"):
            Root().interval(NODE, [interval], {})
    with pytest.raises(ModelError, match="constant"):
        Root().interval(NODE, [(0, 5)], {"v": np.array([1])})


def test_relations_hold_over_the_integers() -> None:
    check_inference(network(), {"x": np.random.default_rng(2).integers(0, 61, (5, 1, 3))})


def test_a_proof_of_several_samples_is_taken_in_both_modes() -> None:
    assert_proven_in_both_modes(network(), {"x": np.random.default_rng(2).integers(0, 61, (2, 1, 3))})


def test_every_limb_of_a_sum_of_products_is_needed() -> None:
    body = BODIES["of sums with weights"].replace("y = Sqrt (s)", "r = Sqrt (s) t = Mul (r, e) y = Tanh (t)")
    model = assert_proven(text_model(body, "float[1,3,4] x", CONSTANTS), 0.03)
    assert any(".v12" in tensor.name for tensor in lower(model).system.tensors)
    assert_every_lookup_is_needed(model)


def test_lies_are_refused_and_every_lookup_is_needed() -> None:
    assert_every_lookup_is_needed(network())
    x = np.random.default_rng(4).integers(0, 61, (2, 1, 3))
    attacker = LyingProver(make_key(network(), folds=False), {"x": x})
    node = next(node for node in attacker.model.nodes if node.operator == "square_root")
    root = int(attacker.honest.trace.values[node.output].reshape(-1)[1])
    above, below = 2 * root + 2, -2 * root
    assert_lies_refused(
        attacker,
        "square_root",
        {
            "a root": changed(output=(1, 1)),
            "a root above": changed(output=(1, 1), root_r=(1, above), root_s=(1, 2 - above)),
            "a root below": changed(output=(1, -1), root_r=(1, below), root_s=(1, -2 - below)),
            "a remainder": changed(root_r=(1, 1), root_s=(1, -1)),
        },
    )
