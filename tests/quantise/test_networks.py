"""Quantised convolutional networks: the forms of their tensors, and closeness to the float networks."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import Cause
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.model.file import dump, load
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.validate import analyse
from deepprove_dist.quantise.activations import OUTPUT_ERROR
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import QuantisedModel, quantise
from deepprove_dist.quantise.report import compare
from deepprove_dist.quantise.undefined import undefined_warnings
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from tests.importing.random_networks import networks

WEIGHTS = ", ".join(f"{0.3 * np.cos(index):.3f}" for index in range(36))
CONSTANTS = (
    f"float[2,2,3,3] k = {{{WEIGHTS}}}, float[2,2,1,1] j = {{0.5, -1, 1.5, 0.25}}, "
    "float two = {2}, float six = {6}, float zero = {0}, int64[8] pads = {0, 1, 0, 0, 0, 0, 0, 0}"
)


def network(body: str, outputs: str = "float[a,b,c,d] y") -> ImportedModel:
    text = f"g (float[1,2,6,6] x) => ({outputs}) <{CONSTANTS}> {{ {body} }}"
    return import_proto(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 20]> {text}'))


def samples_of(imported: ImportedModel, count: int = 20) -> Samples:
    generator = np.random.default_rng(3)
    shapes = {name: imported.graph.shapes[name] for name in imported.graph.inputs}
    return Samples({name: generator.normal(size=(count, *shape)) for name, shape in shapes.items()}, None)


def relative_error(imported: ImportedModel, quantised: QuantisedModel, samples: Samples) -> float:
    """Root of the mean square of all outputs' errors, relative to that of their values."""
    outputs = IntegerRunner(quantised.model).outputs(
        quantise_inputs(quantised.model, samples.inputs, clamp=True)
    )
    real = list(FloatModel(imported).run(samples))
    error = total = 0.0
    for tensor in quantised.model.outputs:
        expected = np.stack([values[imported.graph.outputs[tensor.name]] for values in real])
        error += float(np.square(outputs[tensor.name] * tensor.scale - expected).sum())
        total += float(np.square(expected).sum())
    return float(np.sqrt(error / total)) if total else error


def quantised_operators(imported: ImportedModel, bits: int = 8, tolerance: float = 0.03) -> list[str]:
    samples = samples_of(imported)
    float_model = FloatModel(imported)
    quantised = quantise(imported.graph, calibrate(float_model, samples), bits)
    assert relative_error(imported, quantised, samples) < tolerance
    assert dump(load(dump(quantised.model))) == dump(quantised.model)
    assert not differences(quantised.model, imported.graph)
    for layer in compare(quantised, float_model, Marked.by_inputs(samples)).layers:
        # Errors are over the spread, which is less than the values.
        assert layer.relative is None or layer.relative < 3 * tolerance
    return [node.operator for node in quantised.model.nodes]


@pytest.mark.parametrize(
    ("body", "operators"),
    [
        ("y = Conv (x, k)", "conv"),
        ("h = Conv (x, k) y = Relu (h)", "conv requantise"),
        ("h = Conv (x, k) r = Sigmoid (h) y = Conv (r, j)", "conv requantise conv"),
        ("y = MaxPool <kernel_shape = [2, 2]> (x)", "max_pool"),
        ("y = AveragePool <kernel_shape = [2, 2]> (x)", "sum_pool"),
        # Activations that never fall pass through the maximum to the layer, others do not.
        (
            "h = Conv (x, k) m = MaxPool <kernel_shape = [2, 2]> (h) y = Relu (m)",
            "conv requantise max_pool",
        ),
        (
            "h = Conv (x, k) m = MaxPool <kernel_shape = [2, 2]> (h) y = Gelu (m)",
            "conv requantise max_pool requantise",
        ),
        # What only a sum reads needs no tensor of its own.
        ("h = Conv (x, j) y = Add (h, x)", "conv weighted_sum"),
        (
            "h = Conv (x, j) g = Conv (x, j) a = Sub (h, g) s = Sum (a, x, x) r = Relu (s) y = Conv (r, j)",
            "conv conv weighted_sum requantise conv",
        ),
        (
            "h = Conv (x, j) r = Relu (h) a = Add (h, r) y = Conv (a, j)",
            "conv requantise conv",
        ),
        (
            "r = Relu (x) h = Conv (r, j) a = Add (r, h) q = Relu (a) y = Conv (q, j)",
            "requantise conv weighted_sum requantise conv",
        ),
        (
            "p = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (x) a = Add (p, x) y = Conv (a, j)",
            "sum_pool weighted_sum requantise conv",
        ),
        # Concatenated tensors are made in one format at once, unless others read them too.
        (
            "h = Conv (x, j) g = Conv (x, j) c = Concat <axis = 1> (h, g) y = Relu (c)",
            "conv requantise requantise concat",
        ),
        (
            "h = Conv (x, j) r = Relu (h) g = Conv (r, j) c = Concat <axis = 2> (r, g) y = Conv (c, j)",
            "conv requantise conv requantise requantise requantise concat conv",
        ),
        ("h = Conv (x, j) y = Transpose <perm = [0, 2, 3, 1]> (h)", "conv transpose"),
        ("h = Conv (x, j) a = Pad (h, pads) y = Relu (a)", "conv requantise pad"),
        # Sigmoid does not keep the zeros of padding, so the layer is quantised before them.
        ("h = Conv (x, j) a = Pad (h, pads) y = Sigmoid (a)", "conv requantise pad requantise"),
        # ReLU6, from 0 to its end, is the clamp of any other layer.
        ("h = Conv (x, j) y = Clip (h, zero, six)", "conv requantise"),
        ("h = Conv (x, j) y = Mul (h, two)", "conv"),
    ],
)
def test_operators_of_networks(body: str, operators: str) -> None:
    assert quantised_operators(network(body)) == operators.split()


def test_layers_share_the_table_of_a_clamp() -> None:
    body = "h = Conv (x, j) a = Clip (h, zero, two) g = Conv (a, j) b = Relu (g) y = Conv (b, j)"
    samples = samples_of(imported := network(body))
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    assert len({node.attributes["table"] for node in model.nodes if node.operator == "requantise"}) == 1


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("function", ["Sigmoid", "Tanh", "Gelu", "HardSwish", "LeakyRelu", "Elu", "Softplus"])
def test_activations_lose_little(function: str, bits: int) -> None:
    """Quotients are so fine that the error is lost in how far outputs vary."""
    imported = network(f"h = Conv (x, k) y = {function} (h)")
    samples = samples_of(imported)
    float_model = FloatModel(imported)
    quantised = quantise(imported.graph, calibrate(float_model, samples), bits)
    (tensor,) = quantised.model.outputs
    outputs = IntegerRunner(quantised.model).outputs(quantise_inputs(quantised.model, samples.inputs))["y"]
    # Inputs are rounded too: the float network is asked for its value at the rounded inputs.
    integers = quantise_inputs(quantised.model, samples.inputs)["x"]
    rounded = integers.astype(np.float64) * quantised.model.inputs[0].scale
    real = np.stack([values["y"] for values in float_model.run(Samples({"x": rounded}, None))])
    error = np.sqrt(np.mean(np.square(outputs * tensor.scale - real)))
    assert error < 1.2 * OUTPUT_ERROR * real.std()


@pytest.mark.parametrize(
    "pool",
    [
        "kernel_shape = [2, 2], strides = [2, 2]",
        "kernel_shape = [3, 3], pads = [1, 1, 1, 1]",
        "kernel_shape = [5, 5], pads = [2, 2, 2, 2], count_include_pad = 1",
        "kernel_shape = [5, 5], pads = [2, 2, 2, 2]",
        "kernel_shape = [3, 4], strides = [2, 3], ceil_mode = 1",
    ],
)
def test_averages(pool: str) -> None:
    imported = network(f"r = Relu (x) a = AveragePool <{pool}> (r) y = Conv (a, j)")
    assert quantised_operators(imported, 12, 0.01)[1:3] == ["sum_pool", "requantise"]


def test_an_average_of_four_needs_two_bits_of_shift() -> None:
    imported = network(
        "r = Relu (x) a = AveragePool <kernel_shape = [1, 4]> (r) b = Relu (a) y = Conv (b, j)"
    )
    samples = Samples({"x": np.ones((2, 1, 2, 6, 6))}, None)
    average, _ = quantise(imported.graph, calibrate(FloatModel(imported), samples)).layers
    assert (average.kind, average.shift) == ("sum_pool", 2)


def test_a_layer_whose_activation_follows_a_pool_is_compared_after_it() -> None:
    imported = network("h = Conv (x, k) m = MaxPool <kernel_shape = [2, 2]> (h) y = Relu (m)")
    samples = samples_of(imported)
    float_model = FloatModel(imported)
    quantised = quantise(imported.graph, calibrate(float_model, samples))
    (error,) = compare(quantised, float_model, Marked.by_inputs(samples)).layers
    assert (error.layer.tensor, error.layer.reference) == ("y", "y")
    assert error.relative is not None
    assert error.relative < 0.02


def test_an_activation_counts_as_at_the_nearest_argument_where_it_is_defined() -> None:
    imported = network("b = Add (x, two) y = Sqrt (b)")
    samples = Samples({"x": np.linspace(-1.9, 3, 144).reshape(2, 1, 2, 6, 6)}, None)
    quantised = quantise(imported.graph, calibrate(FloatModel(imported), samples))
    ((layer, argument),) = quantised.undefined.items()
    assert argument < 0
    (warning,) = undefined_warnings(quantised)
    assert (warning.layer, warning.cause) == (layer, Cause.UNDEFINED)
    assert "is not defined at -" in warning.message


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(source=networks(), bits=st.sampled_from([8, 10, 12]), seed=st.integers(0, 2**32 - 1))
def test_random_networks_come_close_and_never_wrap(source: onnx.ModelProto, bits: int, seed: int) -> None:
    imported = import_proto(source)
    samples = samples_of(imported, 8)
    quantised = quantise(imported.graph, calibrate(FloatModel(imported), samples), bits)
    assert relative_error(imported, quantised, samples) < {8: 0.2, 10: 0.06, 12: 0.03}[bits]
    intervals = analyse(quantised.model).intervals
    tensor = quantised.model.inputs[0]
    generator = np.random.default_rng(seed)
    ends = generator.choice([tensor.lo, tensor.hi], size=(4, *tensor.shape))
    trace = IntegerRunner(quantised.model).run({tensor.name: ends})
    for name, values in trace.values.items():
        assert intervals[name][0] <= values.min()
        assert values.max() <= intervals[name][1]
