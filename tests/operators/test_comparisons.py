"""Comparisons, logic and choices: exact, as onnxruntime has them, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist import canonical
from deepprove_dist.errors import FormatError, ModelError
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.select import GAIN, Select
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import assert_same
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import compare
from tests.records import replace

POOL, SAMPLES = Pool(2), 40
CONSTANTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[4,3] u = {1, 0.5, -1, 0.5, 0.25, 2, -1, 0.5, 0.75, 0.5, -2, 1}, "
    "float[3,2] w = {1, -2, 3, 1, -1, 2}, float[3] row = {0.5, -1, 0.25}, float half = {0.5}, "
    "float ten = {10}, bool[3] some = {1, 0, 1}"
)
LAYERS = "a = MatMul (x, v) b = MatMul (x, u) "
TRUTHS = LAYERS + "p = Greater (a, b) q = Less (b, half) "
TRUE_BODIES = {
    "Equal": LAYERS + "r = Relu (a) y = Equal (r, b)",
    "Greater": LAYERS + "y = Greater (a, b)",
    "GreaterOrEqual": LAYERS + "y = GreaterOrEqual (a, b)",
    "Less of a number": LAYERS + "y = Less (a, half)",
    "Less by a number": LAYERS + "y = Less (half, a)",
    "LessOrEqual with a constant by channel": LAYERS + "y = LessOrEqual (a, row)",
    "Less of two functions of one tensor": LAYERS + "t = Tanh (a) y = Less (t, a)",
    "And": TRUTHS + "y = And (p, q)",
    "Or": TRUTHS + "y = Or (p, q)",
    "Xor": TRUTHS + "y = Xor (p, q)",
    "Not": TRUTHS + "y = Not (p)",
    "Xor with constants": TRUTHS + "y = Xor (p, some)",
    "chained": TRUTHS + "m = And (p, q) n = Not (m) o = Or (n, q) y = Xor (o, p)",
    "IsNaN": LAYERS + "y = IsNaN (a)",
}
BODIES = {
    "branches computed": TRUTHS + "m = Where (p, a, b) y = MatMul (m, w)",
    "as an output": TRUTHS + "y = Where (p, a, b)",
    "a number": TRUTHS + "m = Where (p, a, half) t = Tanh (m) y = MatMul (t, w)",
    "another number": TRUTHS + "m = Where (q, ten, b) y = MatMul (m, w)",
    "two numbers": TRUTHS + "m = Where (q, ten, half) y = MatMul (m, w)",
    "a constant by channel": TRUTHS + "m = Where (p, row, b) y = MatMul (m, w)",
    "one function": "e = Exp (x) n = Sub (e, one) g = Greater (x, zero) y = Where (g, x, n)",
    "unlike ranges": TRUTHS + "c = Mul (b, ten) m = Where (p, a, c) y = MatMul (m, w)",
    "a constant condition": LAYERS + "m = Where (some, a, b) y = MatMul (m, w)",
    "computed bounds": LAYERS + "s = ReduceMin <keepdims = 0> (b) m = Clip (a, s) y = MatMul (m, w)",
    "a number below and a computed bound above": LAYERS
    + "s = ReduceMax <keepdims = 0> (b) m = Clip (a, half, s) y = MatMul (m, w)",
    "as a gate": TRUTHS + "f = Cast <to = 1> (p) m = Mul (f, a) y = MatMul (m, w)",
}


def source(body: str, kind: str = "float") -> onnx.ModelProto:
    constants = CONSTANTS + ", float one = {1}, float zero = {0}"
    text = f"g (float[1,4] x) => ({kind}[1,n] y) <{constants}> {{ {body} }}"
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')


def proven(model_source: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray, IntegerModel]:
    """The integers' outputs and the float ones of all samples; a proof of two of them verifies."""
    imported = assert_same(model_source)
    samples = Samples({"x": np.random.default_rng(3).normal(size=(SAMPLES, 1, 4))}, None)
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    return *compare(imported, model, samples), model


@pytest.mark.parametrize("body", TRUE_BODIES.values(), ids=TRUE_BODIES)
def test_truth_values_are_whole_numbers(body: str) -> None:
    close, real, model = proven(source(body, "bool"))
    assert set(np.unique(close)) <= {0.0, 1.0}
    # Values within a step of a threshold may differ.
    assert (close != real).mean() < 0.1
    (output,) = model.outputs
    assert output.scale.number == 1.0


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_choices_are_close(body: str) -> None:
    close, real, _ = proven(source(body))
    # A condition may differ within a step.
    off = np.abs(close - real) > 0.1 * np.abs(real).max()
    assert off.mean() < 0.06


NODE = Node("select", "n", ("c", "a", "b"), "y", {"when_true": (), "when_false": ()})


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="one shape"):
        Select().shape(NODE, [(1, 2), (1, 2), (1, 3)])
    with pytest.raises(ModelError, match="two branches"):
        Select().shape(NODE, [(1, 2), (1, 2)])
    with pytest.raises(ModelError, match="not 0 or 1"):
        Select().interval(NODE, [(0, 2), (0, 1), (0, 1)], {})
    with pytest.raises(ModelError, match="too large a table"):
        Select().interval(NODE, [(0, 1), (0, 1 << 20), (0, 1)], {})
    with pytest.raises(ModelError, match="constant"):
        Select().interval(NODE, [(0, 1), (0, 1), (0, 1)], {"a": np.array([1])})


def choice() -> IntegerModel:
    """A layer, a condition on another one, and a choice between the two."""
    network = Network((1, 3))
    first, second = network.relu(network.dense("x", 4)), network.relu(network.dense("x", 4))
    table = Table.from_values(0, [0] * 40 + [1] * 216)
    condition = network.node("requantise", (second,), {"shift": 0, "table": table, "limbs": ()})
    chosen = network.node("select", (condition, first, second), {"when_true": (), "when_false": ()})
    other = network.node("select", (condition, chosen), {"when_true": (), "when_false": (-7,)})
    return network.model(network.dense(other, 2))


def test_relations_hold_over_the_integers() -> None:
    x = np.random.default_rng(2).integers(-128, 128, (5, 1, 3))
    check_inference(choice(), {"x": x})


def test_a_gain_that_is_off_is_refused() -> None:
    key = make_key(choice(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (1, 1, 3))})
    assert accepted(key, attacker.honest)
    for node in attacker.model.nodes:
        if node.operator != "select":
            continue
        for index in range(4):
            lie = attacker.run(
                node,
                lambda honest, index=index: replace(  # type: ignore[misc]
                    honest,
                    output=bumped(honest.output, index, 1),
                    columns={GAIN: bumped(honest.columns[GAIN], index, 1)},
                ),
            )
            assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_the_lookup_of_the_gain_states_no_function() -> None:
    system = lower(choice()).system
    gains = {index for index, tensor in enumerate(system.tensors) if tensor.name.endswith(f".{GAIN}")}
    assert len(gains) == 2
    for gain in gains:
        kept = tuple(
            lookup
            for lookup in system.lookups
            if len(lookup.columns) == 1 or lookup.columns[1].stored != gain
        )
        assert len(kept) == len(system.lookups) - 1
        with pytest.raises(FormatError):
            check(canonical.replace(system, lookups=kept))
