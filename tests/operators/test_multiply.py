"""Products of two computed tensors: exact in integers, close to onnxruntime, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist import canonical
from deepprove_dist.errors import FormatError, ModelError
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.multiply import Multiply
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.two_tensors import LARGEST_TABLE
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.table import Interval
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import assert_same
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.records import replace

POOL, SAMPLES = Pool(2), 40
NODE = Node("multiply", "n", ("a", "b"), "y", {})
WEIGHTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[4,3] u = {1, 0.5, -1, 0.5, 0.25, 2, -1, 0.5, 0.75, 0.5, -2, 1}, "
    "float[3,2] w = {1, -2, 3, 1, -1, 2}"
)
GATED = "a = MatMul (x, v) r = Relu (a) b = MatMul (x, u) s = Sigmoid (b) "
BODIES = {
    "an output": GATED + "y = Mul (r, s)",
    "in front of a layer": GATED + "m = Mul (r, s) y = MatMul (m, w)",
    "in front of a function": GATED + "m = Mul (r, s) t = Tanh (m) y = MatMul (t, w)",
    "an output under a function": GATED + "m = Mul (r, s) y = Tanh (m)",
    "read twice": GATED + "m = Mul (r, s) t = Tanh (m) n = Mul (m, t) p = Add (n, m) y = MatMul (p, w)",
    "of accumulators": "a = MatMul (x, v) b = MatMul (x, u) m = Mul (a, b) y = MatMul (m, w)",
    "of other shapes": "a = MatMul (x, v) b = MatMul (a, column) m = Mul (a, b) y = MatMul (m, w)",
    "of an input and a layer": "a = MatMul (x, v) c = MatMul (a, q) m = Mul (x, c) y = MatMul (m, v)",
}


def source(body: str) -> onnx.ModelProto:
    constants = f"{WEIGHTS}, float[3,4] q = {{1, 0.5, -1, 2, 0.25, 1, -0.5, 1, 1, -1, 0.75, 0.5}}"
    constants += ", float[3,1] column = {1, 2, 3}"
    text = f"g (float[1,4] x) => (float[1,n] y) <{constants}> {{ {body} }}"
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')


def quantised(imported: ImportedModel) -> tuple[IntegerModel, Samples]:
    generator = np.random.default_rng(3)
    samples = Samples({"x": generator.normal(size=(SAMPLES, 1, 4))}, None)
    return quantise(imported.graph, calibrate(FloatModel(imported), samples)).model, samples


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted(draw(st.lists(st.integers(-2000, 2000), min_size=2, max_size=2)))
    return low, high


@settings(deadline=None)
@given(data=st.data(), first=intervals(), second=intervals())
def test_products_are_exact_and_within_their_interval(
    data: st.DataObject, first: Interval, second: Interval
) -> None:
    x, y = (data.draw(st.integers(*interval)) for interval in (first, second))
    inference = Multiply().infer(NODE, [np.array([[x]]), np.array([[y]])])
    assert inference.output.item() == x * y
    assert inference.columns["plus"].item() == (x + y) ** 2 // 4
    assert inference.columns["minus"].item() == (x - y) ** 2 // 4
    low, high = Multiply().interval(NODE, [first, second], {})
    assert low <= x * y <= high


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="shapes"):
        Multiply().shape(NODE, [(1, 2), (1, 3)])
    half = LARGEST_TABLE // 2
    Multiply().interval(NODE, [(0, half), (0, half - 1)], {})
    with pytest.raises(ModelError, match="requantise"):
        Multiply().interval(NODE, [(0, half), (0, half)], {})
    with pytest.raises(ModelError, match="requantise"):
        Multiply().interval(NODE, [(LARGEST_TABLE, LARGEST_TABLE), (0, 1)], {})
    with pytest.raises(ModelError, match="constant"):
        Multiply().interval(NODE, [(0, 1), (0, 1)], {"b": np.array([1])})


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_with_products_are_imported_quantised_audited_and_proven(body: str) -> None:
    imported = assert_same(source(body))
    model, samples = quantised(imported)
    inputs = quantise_inputs(model, samples.inputs)
    key = Prover.generate(model, Options(max_batch=2), POOL)
    few = {name: values[:2] for name, values in inputs.items()}
    trace = key.runner.run(few)
    statement = verify(key.verifying, prove(key, trace, 2))
    (output,) = model.outputs
    assert (statement.output_integers["y"] == trace.outputs["y"]).all()
    real = np.stack([values[imported.graph.outputs["y"]] for values in FloatModel(imported).run(samples)])
    close = key.runner.outputs(inputs)["y"] * output.scale
    assert np.abs(close - real).max() < 0.05 * np.abs(real).max()
    assert any(node.operator == "multiply" for node in model.nodes)
    assert differences(model, imported.graph) == []


def product_of_layers() -> IntegerModel:
    """Two layers, their product, and a layer of it."""
    network = Network((1, 3))
    gate, value = network.relu(network.dense("x", 4)), network.relu(network.dense("x", 4))
    product = network.relu(network.node("multiply", (gate, value), {}))
    return network.model(network.dense(product, 2))


def test_relations_hold_over_the_integers() -> None:
    x = np.random.default_rng(2).integers(-128, 128, (5, 1, 3))
    check_inference(product_of_layers(), {"x": x})


def test_factors_of_other_axes_are_brought_together() -> None:
    network = Network((1, 2, 3))
    turned = network.node("transpose", ("x",), {"permutation": (0, 2, 1)})
    flat = network.node("reshape", (turned,), {"shape": (1, 2, 3)})
    model = network.model(network.dense(network.relu(network.node("multiply", ("x", flat), {})), 2))
    check_inference(model, {"x": np.random.default_rng(2).integers(-128, 128, (3, 1, 2, 3))})


@pytest.mark.parametrize("column", ["plus", "minus"])
def test_a_square_that_is_off_by_one_is_refused(column: str) -> None:
    key = make_key(product_of_layers(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (1, 1, 3))})
    assert accepted(key, attacker.honest)
    (node,) = (node for node in attacker.model.nodes if node.operator == "multiply")
    for index in range(4):
        for step in (1, -1):
            sign = step if column == "plus" else -step
            lie = attacker.run(
                node,
                lambda honest, index=index, step=step, sign=sign: replace(  # type: ignore[misc]
                    honest,
                    output=bumped(honest.output, index, sign),
                    columns={**honest.columns, column: bumped(honest.columns[column], index, step)},
                ),
            )
            assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_a_lookup_of_a_square_states_no_function() -> None:
    system = lower(product_of_layers()).system
    names = [tensor.name for tensor in system.tensors]
    for column in ("plus", "minus"):
        (square,) = (index for index, name in enumerate(names) if name.endswith(f".{column}"))
        kept = tuple(
            lookup
            for lookup in system.lookups
            if len(lookup.columns) == 1 or lookup.columns[1].stored != square
        )
        assert len(kept) == len(system.lookups) - 1
        with pytest.raises(FormatError):
            check(canonical.replace(system, lookups=kept))


def test_long_products_share_a_table() -> None:
    """One each would have thousands of pieces."""
    network = Network((1, 4), interval=(-2000, 1900))
    turned = network.node("transpose", ("x",), {"permutation": (0, 1)})
    model = network.model(network.node("multiply", ("x", turned), {}))
    (table,) = (table for table in lower(model).system.tables if table.function is not None)
    assert (table.first, table.size) == (-4096, 8193)
