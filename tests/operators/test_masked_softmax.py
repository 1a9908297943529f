"""Softmax with masks: close to onnxruntime, exactly 0 where a mask leaves scores out, not to be forged."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError, UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.inference import infer
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.exponentials import exponential_table
from deepprove_dist.operators.mask import ScoreMask
from deepprove_dist.operators.node import Node
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
    text_model,
)

CAUSAL = "float[3,3] m = {{0, {0}, {0}, 0, 0, {0}, 0, 0, 0}}"
BIASED = "float[3,3] m = {0.5, -1e9, -1e9, -1, 0.25, -1e9, 0, 0, 1}"
KEPT = "bool[3,3] k = {1, 0, 0, 1, 1, 0, 1, 1, 1}, float n = {-1e9}"
DROPPED = "bool[1,3] k = {0, 1, 0}, float n = {-10000}"
SCORES = "t = Transpose <perm=[0,2,1]> (x) s = MatMul (x, t)"
BODIES = {
    "added, -10000": (f"{SCORES} a = Add (s, m) y = Softmax (a)", CAUSAL.format("-10000")),
    "added, float32's least": (f"{SCORES} a = Add (m, s) y = Softmax (a)", CAUSAL.format("-3.4028235e38")),
    "subtracted": (f"{SCORES} a = Sub (s, m) y = Softmax (a)", CAUSAL.format("10000")),
    "with a bias": (f"{SCORES} a = Add (s, m) y = Softmax (a)", BIASED),
    "in place of scores": (f"{SCORES} a = Where (k, s, n) y = Softmax (a)", KEPT),
    "of padding": (f"{SCORES} a = Where (k, n, s) y = Softmax (a)", DROPPED),
    "twice": (f"{SCORES} b = Add (s, m) a = Where (k, n, b) y = Softmax (a)", f"{BIASED}, {DROPPED}"),
    "over another axis": (f"{SCORES} a = Where (k, n, s) y = Softmax <axis=2> (a)", DROPPED),
    "of columns": (f"{SCORES} a = Sub (s, m) y = Softmax <axis=1> (a)", CAUSAL.format("10000")),
    "before a product": (f"{SCORES} a = Add (s, m) p = Softmax (a) y = MatMul (p, x)", CAUSAL.format("-1e9")),
    "guarded": (
        f"{SCORES} a = Add (s, m) p = Softmax (a) q = IsNaN (p) g = Where (q, z, p) y = MatMul (g, x)",
        CAUSAL.format("-1e9") + ", float z = {0}",
    ),
}
SIZE, SHIFT = 5, 80
NODE = Node("mask", "n", ("x", "w"), "y", {"shift": SHIFT})
MASK = np.triu(np.ones((2, SIZE), dtype=np.int64), k=1)


def network() -> IntegerModel:
    net = Network((1, 2, SIZE), interval=(0, 50))
    return net.model(net.node("mask", ("x", net.known(MASK)), dict(NODE.attributes)))


@pytest.mark.parametrize(("body", "constants"), BODIES.values(), ids=BODIES)
def test_networks_are_proven_and_close(body: str, constants: str) -> None:
    model = assert_proven(text_model(body, "float[1,3,4] x", constants), 0.02)
    assert [node.operator for node in model.nodes].count("mask") == 1


def test_what_does_not_fit_is_refused() -> None:
    operator = ScoreMask()
    with pytest.raises(ModelError, match="broadcast"):
        operator.shape(NODE, [(1, 2, SIZE), (3, SIZE)])
    with pytest.raises(ModelError, match="0 and 1"):
        operator.interval(NODE, [(0, 50), (0, 2)], {"w": MASK})
    with pytest.raises(ModelError, match="0 and 1"):
        operator.interval(NODE, [(0, 50), (-1, 1)], {})
    with pytest.raises(ModelError, match="not by 0"):
        operator.interval(Node("mask", "n", ("x", "w"), "y", {"shift": 0}), [(0, 50), (0, 1)], {"w": MASK})


def samples(count: int) -> dict[str, IntArray]:
    return {"x": np.random.default_rng(7).integers(0, 51, (count, 1, 2, SIZE))}


def test_masked_scores_are_shifted_and_others_are_not() -> None:
    values = samples(3)
    inference = ScoreMask().infer(NODE, [values["x"], MASK])
    assert (inference.output == np.where(MASK == 1, values["x"] - SHIFT, values["x"])).all()
    check_inference(network(), values)


def test_a_proof_of_several_samples_is_taken_in_both_modes() -> None:
    assert_proven_in_both_modes(network(), samples(3))


def test_every_lookup_and_relation_is_needed() -> None:
    net = Network((1, 2, SIZE), interval=(0, 50))
    masked = net.node("mask", ("x", net.known(MASK)), dict(NODE.attributes))
    attributes = {"table": exponential_table(200, 0.1, (-SHIFT, 50)), "steps": 300, "size": SIZE}
    # What no output is: the verifier compares outputs with their ranges.
    assert_every_lookup_is_needed(net.model(net.relu(net.node("softmax", (masked,), attributes))))


def test_a_masked_score_that_counts_is_refused() -> None:
    attacker = LyingProver(make_key(network(), folds=False), samples(2))
    lies = {
        "a score that a mask leaves out": changed(output=(1, SHIFT)),
        "a score that counts": changed(output=(0, -1)),
    }
    assert_lies_refused(attacker, "mask", lies)


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_what_a_mask_leaves_out_has_no_influence(scale: float) -> None:
    body = f"{SCORES} a = Add (s, m) p = Softmax (a) y = MatMul (p, x)"
    # Of small inputs exponentials do not reach 0 by themselves.
    model = assert_proven(text_model(body, "float[1,3,4] x", CAUSAL.format("-100")), 0.02, scale=scale)
    inputs = np.random.default_rng(5).integers(-127, 128, (4, 1, 3, 4))
    others = inputs.copy()
    others[:, :, 2] = np.random.default_rng(6).integers(-127, 128, (4, 1, 4))
    first, second = (infer(model, {"x": values}).outputs["y"] for values in (inputs, others))
    assert (first[:, :, :2] == second[:, :, :2]).all()
    assert (first[:, :, 2] != second[:, :, 2]).any()


def test_a_row_that_is_left_out_is_refused() -> None:
    constants = "float[3,3] m = {-1e9, -1e9, -1e9, 0, 0, 0, 0, 0, 0}"
    with pytest.raises(UnsupportedModelError, match="leaves out all positions of a row"):
        import_proto(text_model(f"{SCORES} a = Add (s, m) y = Softmax (a)", "float[1,3,4] x", constants))


def test_scores_that_others_read_keep_their_mask() -> None:
    body = f"{SCORES} a = Add (s, m) p = Softmax (a) y = Add (a, p)"
    constants = CAUSAL.format("-10000")
    graph = import_proto(text_model(body, "float[1,3,4] x", constants)).graph
    assert "a" in {node.output for node in graph.nodes}
