"""Softmax with masks that inputs decide: padding has no influence at all, and rows of padding are defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.importing.regrouping import averages
from deepprove_dist.model.inference import infer
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.exponentials import exponential_table
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import (
    assert_every_lookup_is_needed,
    assert_lies_refused,
    assert_proven_in_both_modes,
    changed,
    compare,
    text_model,
)

LENGTH, WIDTH, COUNT = 4, 3, 24
ATTENTION = "t = Transpose <perm=[0,2,1]> (x) s = MatMul (x, t)"
RESULT = "p = Softmax (a) y = MatMul (p, x)"
BITS = "c = Cast <to=1> (m) e = Reshape (c, shape) i = Sub (one, e)"
TRUTH = "c = Cast <to=9> (m) e = Reshape (c, shape)"
KINDS = {
    "(1 - m) * -10000": f"{BITS} b = Mul (i, few) a = Add (s, b)",
    "(1 - m) * least": f"{BITS} b = Mul (i, least) a = Add (s, b)",
    "m * 10000 - 10000": f"{BITS} f = Mul (e, few) b = Sub (few, f) a = Add (b, s)",
    "subtracted": f"{BITS} b = Mul (i, many) a = Sub (s, b)",
    "filled": f"{BITS} k = Cast <to=9> (i) b = Where (k, least, i) a = Add (s, b)",
    "in place of scores": f"{TRUTH} a = Where (e, s, least)",
    "left out": f"{TRUTH} n = Not (e) a = Where (n, few, s)",
    "compared": "g = Reshape (m, shape) n = Equal (g, zero) a = Where (n, least, s)",
    "-infinity": f"{TRUTH} b = Where (e, null, endless) a = Add (s, b)",
    "causal and padding": f"{TRUTH} k = And (causal, e) b = Where (k, null, least) a = Add (s, b)",
    "causal, then padding": f"{BITS} b = Mul (i, least) d = Add (s, b) a = Where (causal, d, least)",
}
CONSTANTS: dict[str, npt.NDArray[Any]] = {
    "shape": np.array([1, 1, LENGTH]),
    "zero": np.array(0),
    "one": np.array(1, dtype=np.float32),
    "null": np.array(0, dtype=np.float32),
    "few": np.array(-10000, dtype=np.float32),
    "many": np.array(10000, dtype=np.float32),
    "least": np.array(np.finfo(np.float32).min),
    "endless": np.array(-np.inf, dtype=np.float32),
    "causal": np.tril(np.ones((LENGTH, LENGTH), dtype=np.bool_)),
}


def network(mask: str, result: str = RESULT) -> onnx.ModelProto:
    """Attention of x to itself, where the input m says which positions count."""
    source = text_model(f"{ATTENTION} {mask} {result}", f"float[1,{LENGTH},{WIDTH}] x, int64[1,{LENGTH}] m")
    for name, values in CONSTANTS.items():
        source.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values), name))
    return source


def samples(*, empty: bool = True) -> Samples:
    """Small inputs, so that exponentials do not reach 0 by themselves. The first one is all padding."""
    generator = np.random.default_rng(4)
    lengths = generator.integers(1, LENGTH + 1, COUNT)
    lengths[0] = 0 if empty else 1
    masks = (np.arange(LENGTH) < lengths[:, None]).astype(np.float64)
    return Samples(
        {"x": generator.normal(size=(COUNT, 1, LENGTH, WIDTH)), "m": masks.reshape(COUNT, 1, LENGTH)}, None
    )


def quantised(source: onnx.ModelProto, inputs: Samples) -> tuple[ImportedModel, IntegerModel]:
    imported = import_proto(source)
    return imported, quantise(imported.graph, calibrate(FloatModel(imported), inputs)).model


def assert_close(source: onnx.ModelProto, inputs: Samples, operator: str) -> None:
    imported, model = quantised(source, inputs)
    assert operator in {node.operator for node in model.nodes}
    close, real = compare(imported, model, inputs)
    assert np.sqrt(np.mean(np.square(close - real))) <= 0.02 * real.std()
    padded = inputs.inputs["m"].astype(np.int64)
    integers = np.random.default_rng(5).integers(-60, 60, (COUNT, 1, LENGTH, WIDTH))
    others = np.where(padded[..., None] == 1, integers, integers[::-1])
    first, second = (infer(model, {"x": x, "m": padded}).outputs["y"] for x in (integers, others))
    counts = padded[..., None] * np.ones_like(integers) == 1
    assert (first[counts] == second[counts]).all()
    assert (first != second).any()


@pytest.mark.parametrize("kind", KINDS)
def test_padding_has_no_influence(kind: str) -> None:
    lowered = {"(1 - m) * -10000", "m * 10000 - 10000", "subtracted"}
    assert_close(
        network(KINDS[kind]), samples(empty=kind != "-infinity"), "mask" if kind in lowered else "select"
    )


def test_rows_that_are_not_numbers_are_guarded() -> None:
    result = "p = Softmax (a) q = IsNaN (p) r = Where (q, null, p) y = MatMul (r, x)"
    assert_close(network(KINDS["-infinity"], result), samples(), "select")


SHIFT = 80


def masked(shift: int) -> IntegerModel:
    """A softmax of scores from 0 to 50, and bits that are 1 where they are above 25."""
    net = Network((2, 3), interval=(0, 50))
    table = Table.from_values(0, (np.arange(51) > 25).astype(np.int64))
    bits = net.node("requantise", ("x",), {"shift": 0, "table": table, "limbs": ()})
    scores = net.node("mask", ("x", bits), {"shift": shift})
    attributes = {"table": exponential_table(200, 0.1, (-SHIFT, 50)), "steps": 300, "size": 3}
    return net.model(net.relu(net.node("softmax", (scores,), attributes)))


SCORES = {"x": np.random.default_rng(7).integers(0, 51, (2, 2, 3))}


@pytest.mark.parametrize("shift", [SHIFT, -SHIFT])
def test_bits_say_which_scores_are_shifted(shift: int) -> None:
    model, values = masked(shift), SCORES["x"]
    left_out = (values > 25) == (shift > 0)
    (node,) = (node for node in model.nodes if node.operator == "mask")
    assert (infer(model, SCORES).values[node.output] == np.where(left_out, values - SHIFT, values)).all()
    check_inference(model, SCORES)
    assert_proven_in_both_modes(model, SCORES)
    assert_every_lookup_is_needed(model)
    left = int(np.flatnonzero(left_out)[0])
    lies = {
        "a probability that is not 0": changed(output=(left, 1)),
        "an exponential that is not 0": changed(e=(left, 1)),
        "a maximum that is not attained": changed(gain0=(0, 1)),
        "a sum of a row that is off": changed(b=(0, 1)),
    }
    assert_lies_refused(LyingProver(make_key(model, folds=False), SCORES), "softmax", lies)
    shifted = {
        "a score that is left out counts": changed(output=(left, SHIFT)),
        "a score that counts is left out": changed(output=(int(np.flatnonzero(~left_out)[0]), -SHIFT)),
    }
    assert_lies_refused(LyingProver(make_key(model, folds=False), SCORES), "mask", shifted)


def test_attention_of_the_standard_leaves_out_what_an_input_says() -> None:
    """Truth values for each row, of which one has none that counts; a row sees no column after it."""
    body = "y = Attention <is_causal=1, q_num_heads=1, kv_num_heads=1> (x, x, x, k)"
    source = text_model(body, "float[1,4,3] x, bool[1,4] m", opset=24)
    source.graph.node.insert(0, onnx.helper.make_node("Expand", ["m", "square"], ["k"]))
    source.graph.initializer.append(onnx.numpy_helper.from_array(np.array([4, 4]), "square"))
    inputs = samples()
    imported, model = quantised(source, inputs)
    close, real = compare(imported, model, inputs)
    assert np.sqrt(np.mean(np.square(close - real))) <= 0.02 * real.std()


@pytest.mark.parametrize("mask", KINDS.values(), ids=KINDS)
def test_attention_that_divides_once_takes_the_same_masks(monkeypatch: pytest.MonkeyPatch, mask: str) -> None:
    monkeypatch.setattr(averages, "LEAST_KEYS", 1)
    assert_close(network(mask), samples(), "attention")


def test_a_padded_token_that_speaks_is_refused() -> None:
    """Its score in place of the one that leaves it out, in a row of scores that one number replaces."""
    inputs = samples()
    _, model = quantised(network(KINDS["(1 - m) * least"]), inputs)
    x = np.random.default_rng(6).integers(-60, 60, (2, 1, LENGTH, WIDTH))
    masks = np.array([[[1, 1, 0, 0]], [[1, 0, 0, 0]]])
    attacker = LyingProver(make_key(model, folds=False), {"x": x, "m": masks})
    (select,) = (node for node in model.nodes if node.operator == "select")
    values = attacker.honest.trace.values
    scores, replaced = values[select.inputs[1]].reshape(-1), values[select.output].reshape(-1)
    padded = LENGTH - 1
    step = int(scores[padded] - replaced[padded])
    assert step > 0
    spoken, told = changed(output=(padded, step)), changed(output=(padded, step), gain=(padded, step))
    assert_lies_refused(attacker, "select", {"a score": spoken, "a score and its gain": told})
    assert_lies_refused(attacker, "softmax", {"a probability": changed(output=(padded, 1))})
