"""Maxima and minima of computed tensors: exact, as onnxruntime has them, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist import canonical
from deepprove_dist.errors import FormatError, ModelError
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.maximum_of_two import GAIN, Maximum
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.two_tensors import LARGEST_TABLE
from deepprove_dist.protocol.system.check import check
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
NODE = Node("maximum_of_two", "n", ("a", "b"), "y", {})
CONSTANTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[4,3] u = {1, 0.5, -1, 0.5, 0.25, 2, -1, 0.5, 0.75, 0.5, -2, 1}, "
    "float[3,2] w = {1, -2, 3, 1, -1, 2}, float[3,1] column = {1, 2, 3}, float[3,4] q = "
    "{1, 0.5, -1, 2, 0.25, 1, -0.5, 1, 1, -1, 0.75, 0.5}, float[4,3] tenfold = "
    "{5, -10, 20, 2.5, 10, 15, -5, 30, -20, 7.5, 10, -10}, float two = {2}"
)
LAYERS = "a = MatMul (x, v) b = MatMul (x, u) "
BODIES = {
    "an output": LAYERS + "y = {} (a, b)",
    "in front of a layer": LAYERS + "m = {} (a, b) y = MatMul (m, w)",
    "in front of a function that rises": LAYERS + "m = {} (a, b) t = Tanh (m) y = MatMul (t, w)",
    "in front of a function that falls": LAYERS + "m = {} (a, b) t = Neg (m) y = MatMul (t, w)",
    "an output under a function": LAYERS + "m = {} (a, b) y = Abs (m)",
    "read twice": LAYERS + "m = {} (a, b) t = Tanh (m) n = {} (t, a) p = Add (n, m) y = MatMul (p, w)",
    "of functions": LAYERS + "r = Relu (a) s = Sigmoid (b) m = {} (r, s) y = MatMul (m, w)",
    "of unlike ranges": "a = MatMul (x, tenfold) b = MatMul (x, u) m = {} (a, b) y = MatMul (m, w)",
    "of three": LAYERS + "c = MatMul (x, tenfold) m = {} (a, b, c) y = MatMul (m, w)",
    "of other shapes": "a = MatMul (x, v) b = MatMul (a, column) m = {} (a, b) y = MatMul (m, w)",
    "of two and a number": LAYERS + "m = {} (a, b, two) y = MatMul (m, w)",
    "of an input and a layer": "a = MatMul (x, v) c = MatMul (a, q) m = {} (x, c) y = MatMul (m, v)",
    "of a tensor with itself": "a = MatMul (x, v) m = {} (a, a) y = MatMul (m, w)",
}


def source(body: str) -> onnx.ModelProto:
    text = f"g (float[1,4] x) => (float[1,n] y) <{CONSTANTS}> {{ {body} }}"
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)), min_size=1, max_size=20))
def test_maxima_are_exact_and_within_their_interval(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array([values]) for values in zip(*pairs, strict=True))
    inference = Maximum().infer(NODE, [x, y])
    largest = [max(pair) for pair in pairs]
    assert inference.output[0].tolist() == largest
    assert (x + inference.columns[GAIN])[0].tolist() == largest
    intervals = [(int(values.min()), int(values.max())) for values in (x, y)]
    low, high = Maximum().interval(NODE, intervals, {})
    assert low <= min(largest) <= max(largest) == high


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="shapes"):
        Maximum().shape(NODE, [(1, 2), (1, 3)])
    half = LARGEST_TABLE // 2
    Maximum().interval(NODE, [(0, half), (0, half - 1)], {})
    with pytest.raises(ModelError, match="requantise"):
        Maximum().interval(NODE, [(0, half), (0, half)], {})
    with pytest.raises(ModelError, match="requantise"):
        Maximum().interval(NODE, [(LARGEST_TABLE, LARGEST_TABLE), (0, 1)], {})
    with pytest.raises(ModelError, match="constant"):
        Maximum().interval(NODE, [(0, 1), (0, 1)], {"b": np.array([1])})


@pytest.mark.parametrize("operator", ["Max", "Min"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_are_imported_quantised_audited_and_proven(body: str, operator: str) -> None:
    imported = assert_same(source(body.replace("{}", operator)))
    samples = Samples({"x": np.random.default_rng(3).normal(size=(SAMPLES, 1, 4))}, None)
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    close, real = compare(imported, model, samples)
    # Operands have 8 bits for ranges of their own, which may be some times that of the output.
    assert np.abs(close - real).max() < 0.1 * np.abs(real).max()
    assert any(node.operator == "maximum_of_two" for node in model.nodes)


def larger_of_layers() -> IntegerModel:
    """Two layers, their maximum, and a layer of it."""
    network = Network((1, 3))
    first, second = network.relu(network.dense("x", 4)), network.relu(network.dense("x", 4))
    return network.model(network.dense(network.node("maximum_of_two", (first, second), {}), 2))


def test_relations_hold_over_the_integers() -> None:
    x = np.random.default_rng(2).integers(-128, 128, (5, 1, 3))
    check_inference(larger_of_layers(), {"x": x})


def test_operands_of_other_axes_are_brought_together() -> None:
    network = Network((1, 2, 3))
    turned = network.node("transpose", ("x",), {"permutation": (0, 2, 1)})
    flat = network.node("reshape", (turned,), {"shape": (1, 2, 3)})
    model = network.model(network.dense(network.node("maximum_of_two", ("x", flat), {}), 2))
    check_inference(model, {"x": np.random.default_rng(2).integers(-128, 128, (3, 1, 2, 3))})


def test_a_gain_that_is_off_by_one_is_refused() -> None:
    key = make_key(larger_of_layers(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (1, 1, 3))})
    assert accepted(key, attacker.honest)
    (node,) = (node for node in attacker.model.nodes if node.operator == "maximum_of_two")
    for index in range(4):
        for step in (1, -1):
            lie = attacker.run(
                node,
                lambda honest, index=index, step=step: replace(  # type: ignore[misc]
                    honest,
                    output=bumped(honest.output, index, step),
                    columns={GAIN: bumped(honest.columns[GAIN], index, step)},
                ),
            )
            assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_the_lookup_of_the_gain_states_no_function() -> None:
    system = lower(larger_of_layers()).system
    names = [tensor.name for tensor in system.tensors]
    (gain,) = (index for index, name in enumerate(names) if name.endswith(f".{GAIN}"))
    kept = tuple(
        lookup for lookup in system.lookups if len(lookup.columns) == 1 or lookup.columns[1].stored != gain
    )
    assert len(kept) == len(system.lookups) - 1
    with pytest.raises(FormatError):
        check(canonical.replace(system, lookups=kept))
