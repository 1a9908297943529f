"""Quantising small graphs: every form in which a tensor is needed, and awkward numbers."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ChoiceError, QuantisationError
from deepprove_dist.field import MODULUS
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.model.inference import infer
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.quantise.calibrate import Statistics, calibrate
from deepprove_dist.quantise.deviation import spread_error
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import QuantisedModel, quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs

WEIGHTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[3,3] w = {1, 2, 3, 4, -5, 6, -7, 8, 9}"
)


def import_text(body: str) -> ImportedModel:
    return import_proto(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> g {body}'))


def normal(imported: ImportedModel, count: int = 50) -> Samples:
    generator = np.random.default_rng(3)
    shapes = imported.graph.shapes
    return Samples(
        {name: generator.normal(size=(count, *shapes[name])) for name in imported.graph.inputs}, None
    )


def quantise_and_compare(imported: ImportedModel, tolerance: float = 0.03) -> QuantisedModel:
    """Quantises and checks that dequantised outputs are close to the float model's on the calibration
    samples.
    """
    samples = normal(imported)
    float_model = FloatModel(imported)
    quantised = quantise(imported.graph, calibrate(float_model, samples))
    outputs = infer(quantised.model, quantise_inputs(quantised.model, samples.inputs)).outputs
    real = list(float_model.run(samples))
    for tensor in quantised.model.outputs:
        expected = np.stack([values[imported.graph.outputs[tensor.name]] for values in real])
        assert outputs[tensor.name].shape == expected.shape
        error = np.abs(outputs[tensor.name] * tensor.scale - expected).max()
        assert error <= tolerance * np.abs(expected).max()
    assert [tensor.name for tensor in quantised.model.outputs] == list(imported.graph.outputs)
    return quantised


def test_an_output_of_a_large_constant_and_a_small_rest_keeps_the_rest() -> None:
    imported = import_text(
        f"(float[1,4] x) => (float[1,3] y) <{WEIGHTS}, float[3] b = {{1000, 1000, -2000}}> "
        "{ y = Gemm (x, v, b) }"
    )
    samples = normal(imported)
    float_model = FloatModel(imported)
    model = quantise(imported.graph, calibrate(float_model, samples)).model
    outputs = infer(model, quantise_inputs(model, samples.inputs)).outputs["y"] * model.outputs[0].scale
    real = np.stack([values["y"] for values in float_model.run(samples)])
    assert spread_error(real, np.asarray(outputs, dtype=np.float64)) < 0.02


@pytest.mark.parametrize(
    ("outputs", "nodes", "operators"),
    [
        ("float[1,3] y", "y = MatMul (x, v)", ["dense"]),
        ("float[1,3] y", "h = MatMul (x, v) y = Identity (h)", ["dense"]),
        ("float[3,1] y", "h = MatMul (x, v) y = Reshape (h, s)", ["dense", "reshape"]),
        ("float[1,3] y", "h = MatMul (x, v) y = Relu (h)", ["dense", "requantise"]),
        ("float[1,3] y", "h = MatMul (x, v) y = MatMul (h, w)", ["dense", "requantise", "dense"]),
        ("float[1,4] y", "y = Relu (x)", ["requantise"]),
        ("float[1,4] y", "h = Relu (x) y = Relu (h)", ["requantise"]),
        ("float[1,4] y", "y = Identity (x)", ["reshape"]),
        # Activations pass through views, so that the layer stays one.
        (
            "float[1,3] y",
            "h = MatMul (x, v) f = Reshape (h, s) r = Relu (f) k = Reshape (r, t) y = MatMul (k, w)",
            ["dense", "requantise", "reshape", "reshape", "dense"],
        ),
        # A layer that is read in two forms is computed in both scales.
        ("float[1,3] y, float[1,3] h", "h = MatMul (x, v) y = Relu (h)", ["dense", "dense", "requantise"]),
        (
            "float[1,3] y, float[1,3] z",
            "h = MatMul (x, v) r = Relu (h) y = MatMul (r, w) z = MatMul (h, w)",
            ["dense", "requantise", "dense", "requantise", "dense", "dense"],
        ),
        (
            "float[1,3] y, float[1,3] z",
            "h = MatMul (x, v) r = Relu (h) y = Identity (r) z = MatMul (r, w)",
            ["dense", "requantise", "dense", "requantise", "dense"],
        ),
        (
            "float[1,3] y, float[1,3] z",
            "h = MatMul (x, v) y = Identity (h) z = Identity (h)",
            ["dense", "reshape"],
        ),
        # The name of an output stays free for it.
        (
            "float[3,1] y",
            "h = MatMul (x, v) f = Reshape (h, s) y = Relu (f)",
            ["dense", "requantise", "reshape"],
        ),
    ],
)
def test_forms_of_tensors(outputs: str, nodes: str, operators: list[str]) -> None:
    constants = f"{WEIGHTS}, int64[2] s = {{3, 1}}, int64[2] t = {{1, 3}}"
    quantised = quantise_and_compare(
        import_text(f"(float[1,4] x) => ({outputs}) <{constants}> {{ {nodes} }}")
    )
    assert [node.operator for node in quantised.model.nodes] == operators


def test_several_inputs() -> None:
    tensors = "(float[1,4] x, float[2,4] z) => (float[1,3] y, float[2,3] u)"
    text = f"{tensors} <{WEIGHTS}> {{ y = MatMul (x, v) u = MatMul (z, v) }}"
    quantise_and_compare(import_text(text))


def graph(
    weight: np.ndarray[tuple[int, int], np.dtype[np.float64]], scale: float, layers: int
) -> tuple[FloatGraph, dict[str, Statistics]]:
    """Layers of the same square weights with activations in [-scale, scale] on calibration."""
    size = len(weight)
    tensors = [f"t{index}" for index in range(layers + 1)]
    nodes = tuple(
        FloatDense(f"n{index}", (tensors[index],), tensors[index + 1], weight, np.zeros(size))
        for index in range(layers)
    )
    statistics = Statistics(-scale, scale, np.full((1, size), scale**2 / 3), np.array([-scale, scale]), scale)
    shapes = dict.fromkeys(tensors, (1, size))
    return FloatGraph(("t0",), {tensors[-1]: tensors[-1]}, nodes, shapes), dict.fromkeys(tensors, statistics)


@settings(max_examples=40)
@given(
    size=st.integers(1, 12),
    layers=st.integers(1, 4),
    exponent=st.integers(-30, 30),
    scale=st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 1e6]),
    bits=st.integers(8, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_is_calibrated_nothing_wraps(
    size: int, layers: int, exponent: int, scale: float, bits: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    weight = generator.normal(size=(size, size)) * 2.0**exponent
    model = quantise(*graph(weight, scale, layers), bits).model
    inputs = generator.choice([model.inputs[0].lo, model.inputs[0].hi], size=(8, 1, size))
    trace = infer(model, {"t0": inputs})
    for node in model.nodes:
        table, shift = node.attributes.get("table"), node.attributes.get("shift")
        if isinstance(table, Table) and isinstance(shift, int):
            quotients = trace.columns[node.output, "q"]
            assert table.size << shift <= MODULUS
            assert table.first <= quotients.min()
            assert quotients.max() < table.first + table.size


def test_layers_of_one_function_share_a_table() -> None:
    model = quantise(*graph(np.eye(4), 1.0, 4)).model
    tables = {node.attributes["table"] for node in model.nodes if node.operator == "requantise"}
    assert len(tables) == 1


def test_wide_layers_have_fewer_limbs_than_narrow_ones() -> None:
    """One more limb costs a value for each element, a wider one a larger range table."""
    generator = np.random.default_rng(0)
    narrow, wide = (
        quantise(*graph(generator.normal(size=(size, size)), 1.0, 3)).layers[0] for size in (8, 2000)
    )
    assert len(narrow.limbs) > len(wide.limbs)


def test_bits_out_of_range_are_refused() -> None:
    with pytest.raises(ChoiceError):
        quantise(*graph(np.eye(2), 1.0, 1), 13)


def test_activations_that_are_not_finite_are_refused() -> None:
    imported = import_text(
        "(float[1,2] x) => (float[1,2] y) <float[2,2] w = {1e38, 1e38, 0, 0}> { y = MatMul (x, w) }"
    )
    samples = Samples({"x": np.full((1, 1, 2), 1e10)}, None)
    with pytest.raises(QuantisationError, match="'y'"):
        calibrate(FloatModel(imported), samples)
