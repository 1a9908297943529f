"""Formats of inputs: margins, hard limits, bits as needed, scales by channel; and what reads such inputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.operators.formats import Format
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.deviation import spread_error
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inputs import choose_inputs
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import outside, quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify

Array = npt.NDArray[np.float64]

# Columns from 0.001 to 1000, as those of raw tables are.
UNLIKE = np.array([1e-3, 1.0, 50.0, 1e3])
CONSTANTS = (
    "float[4,3] w = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[8,3] v = {0.5, -1, 2, 0.2, 1, 1.5, -0.5, 3, -2, 0.7, 1, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1}, "
    "float[4] mean = {0.001, 1, 50, 1000}, float[4] deviation = {0.001, 1, 50, 1000}, "
    "float thousand = {1000}, float one = {1}, "
    "float[4,4,1] k = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2}, int64[2] flat = {1, 4}, "
    "int64[3] column = {1, 4, 1}"
)


def network(body: str, inputs: str = "x") -> ImportedModel:
    names = ", ".join(f"float[1,4] {name}" for name in inputs.split())
    text = f'<ir_version: 8, opset_import: ["": 20]> g ({names}) => (float[a,b] y) <{CONSTANTS}> {{ {body} }}'
    return import_proto(onnx.parser.parse_model(text))


def draw(scale: Array, *shape: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=shape) * scale


def chosen(imported: ImportedModel, values: Array) -> Format:
    (name,) = imported.graph.inputs
    samples = Samples({name: values}, None)
    return choose_inputs(imported.graph, FloatModel(imported), samples, 8)[name]


LINEAR = "y = MatMul (x, w)"


def test_alike_columns_have_one_scale_and_a_margin_on_both_sides() -> None:
    values = draw(np.ones(4), 100, 1, 4)
    format = chosen(network(LINEAR), values)
    assert format.scale.is_single
    width = np.ptp(values)
    assert format.unit * format.hi >= values.max() + 0.24 * width
    assert format.unit * format.lo <= values.min() - 0.24 * width


def test_an_end_that_many_samples_reach_is_a_hard_limit() -> None:
    values = np.clip(draw(np.ones(4), 100, 1, 4), 0.0, 1.0)
    format = chosen(network(LINEAR), values)
    assert (format.lo, format.hi) == (0, 255)
    assert format.unit * 255 == pytest.approx(1.0)
    # One sample's largest value is no limit.
    values[0, 0, 0] = 1.5
    format = chosen(network(LINEAR), values)
    assert format.lo == 0
    assert format.unit * format.hi > 1.8


def test_values_of_one_sign_keep_it() -> None:
    values = np.exp(draw(np.ones(4), 100, 1, 4))
    format = chosen(network(LINEAR), values)
    assert format.lo == 0
    assert format.unit * format.hi > values.max() + 0.24 * np.ptp(values)


def test_a_logarithm_of_positive_columns_is_defined_on_all_of_their_range() -> None:
    imported = network("s = Add (x, one) l = Log (s) y = MatMul (l, w)")
    values = np.exp(draw(np.ones(4), 100, 1, 4)) * UNLIKE
    samples = Samples({"x": values}, None)
    inputs = choose_inputs(imported.graph, FloatModel(imported), samples, 8)
    assert quantise(imported.graph, calibrate(FloatModel(imported), samples), inputs=inputs).layers


def test_rounding_that_shows_in_the_outputs_takes_more_bits() -> None:
    values = draw(np.ones(4), 100, 1, 4)
    values[0, 0, 0] = 300.0
    format = chosen(network("t = Tanh (x) y = MatMul (t, w)"), values)
    assert format.scale.is_single
    assert format.hi > 2**10


def test_unlike_columns_have_scales_of_their_own() -> None:
    scaled = network("s = Sub (x, mean) d = Div (s, deviation) y = MatMul (d, w)")
    values = draw(UNLIKE, 100, 1, 4)
    format = chosen(scaled, values)
    assert format.scale.shape == (1, 4)
    assert (np.diff(format.scale.array) > 0).all()
    assert (np.abs(values) < format.scale.array * format.hi / 2).all()


def test_a_column_that_never_changes_may_become_as_large_as_others() -> None:
    values = draw(UNLIKE, 100, 1, 4)
    values[:, 0, 1] = 0.0
    format = chosen(network("s = Sub (x, mean) d = Div (s, deviation) y = MatMul (d, w)"), values)
    assert (format.scale.array * format.hi)[0, 1] >= np.abs(values).max()


@pytest.mark.parametrize(
    "body",
    [
        "d = Div (x, deviation) y = MatMul (d, w)",
        "s = Sub (x, mean) d = Div (s, deviation) r = Relu (d) y = MatMul (r, w)",
        "d = Div (x, deviation) t = Tanh (d) y = MatMul (t, w)",
        "a = Abs (x) d = Div (a, deviation) y = MatMul (d, w)",
        "d = Div (x, deviation) r = LeakyRelu (x) a = Add (d, r) y = MatMul (a, w)",
        "c = Reshape (x, column) d = Conv <group = 1> (c, k) f = Reshape (d, flat) y = MatMul (f, w)",
        "d = Div (x, deviation) c = Concat <axis = 1> (d, x) y = MatMul (c, v)",
        "y = Identity (x)",
    ],
)
def test_networks_of_unlike_columns_are_proven(body: str) -> None:
    imported, values = network(body), draw(UNLIKE, 60, 1, 4)
    float_model, samples = FloatModel(imported), Samples({"x": values}, None)
    inputs = choose_inputs(imported.graph, float_model, samples, 8)
    model = quantise(imported.graph, calibrate(float_model, samples), 12, inputs=inputs).model
    assert not differences(model, imported.graph)
    key = Prover.generate(model, Options(max_batch=2), Pool(2))
    other = draw(UNLIKE, 2, 1, 4, seed=2)
    assert not outside(model, {"x": other})["x"].any()
    trace = key.runner.run(quantise_inputs(model, {"x": other}))
    statement = verify(key.verifying, prove(key, trace, 2))
    real = np.stack(
        [run[imported.graph.outputs["y"]] for run in float_model.run(Samples({"x": other}, None))]
    )
    assert spread_error(real, statement.output["y"]) < 0.05
    verify(key.verifying, prove(key, trace, 2), input={"x": other}, output=statement.output)


def test_parts_of_a_concatenation_keep_their_scales_for_layers_that_take_them() -> None:
    body = "r = Relu (x) g = Relu (z) b = Mul (g, thousand) c = Concat <axis = 1> (r, b) y = MatMul (c, v)"
    imported = network(body, "x z")
    values = {"x": draw(np.ones(4), 60, 1, 4), "z": draw(np.ones(4), 60, 1, 4, seed=5)}
    float_model, samples = FloatModel(imported), Samples(values, None)
    model = quantise(imported.graph, calibrate(float_model, samples)).model
    (joined,) = (node for node in model.nodes if node.operator == "concat")
    scales = {model.formats[name].unit for name in joined.inputs}
    assert len(scales) == 2
    assert not differences(model, imported.graph)


def test_an_output_of_joined_parts_loses_nothing_to_what_else_reads_it() -> None:
    """The concatenation is an output, and a sum that needs one scale reads it too."""
    body = "h = Mul (z, thousand) r = Relu (h) y = Concat <axis = 1> (x, r) s = Relu (y) u = Add (y, s)"
    names = "float[1,4] x, float[1,4] z"
    text = (
        f'<ir_version: 8, opset_import: ["": 20]> g ({names}) => (float[a,b] y, float[a,b] u) '
        f"<{CONSTANTS}> {{ {body} }}"
    )
    imported = import_proto(onnx.parser.parse_model(text))
    values = {"x": draw(np.ones(4), 60, 1, 4), "z": draw(np.ones(4), 60, 1, 4, seed=5)}
    float_model, samples = FloatModel(imported), Samples(values, None)
    model = quantise(imported.graph, calibrate(float_model, samples)).model
    outputs = IntegerRunner(model).outputs(quantise_inputs(model, values, clamp=True))
    (tensor,) = (tensor for tensor in model.outputs if tensor.name == "y")
    real = np.stack([run[imported.graph.outputs["y"]] for run in float_model.run(samples)])
    proven = tensor.scale.array * outputs["y"]
    assert spread_error(real[..., :4], proven[..., :4]) < 0.01
    assert not differences(model, imported.graph)
