"""Layers in orders that are awkward to lower: what import accepts is proven, and nothing is refused later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from deepprove_dist.importing.load import import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.deviation import spread_error
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify

Array = npt.NDArray[np.float64]

POOL = Pool(1)
SIZES: dict[str, tuple[int, ...]] = {
    "w": (3, 2, 3, 3),
    "v": (3, 2, 3, 3),
    "u": (4, 2, 3, 3),
    "d": (4, 1, 3, 3),
    "e": (4, 1, 3, 3),
    "p": (3, 4, 1, 1),
    "q": (3, 4, 3, 3),
    "f": (100, 2),
}
OTHERS = "int64[8] pads = {0, 0, 1, 1, 0, 0, 1, 1}, int64[3] rows = {1, 3, 25}, float c = {0.37}"

OF_AN_ACCUMULATOR = {
    "Transpose": "a = Conv (x, w) y = Transpose <perm = [0, 2, 3, 1]> (a)",
    "Pad": "a = Conv (x, w) y = Pad (a, pads)",
    "Concat": "a = Conv (x, w) b = Conv (x, v) y = Concat <axis = 1> (a, b)",
    "Reshape": "a = Conv (x, w) y = Reshape (a, rows)",
}
MULTIPLIED = "a = Conv <group = 2> (x, d) b = Relu (a) "
"""A depthwise convolution with two outputs for each channel."""
AFTER_A_MULTIPLIER = {
    "MaxPool": "y = MaxPool <kernel_shape = [2, 2]> (b)",
    "AveragePool": "y = AveragePool <kernel_shape = [2, 2]> (b)",
    "GlobalAveragePool": "y = GlobalAveragePool (b)",
    "1x1 Conv": "y = Conv (b, p)",
    "3x3 Conv": "y = Conv (b, q)",
    "depthwise Conv": "y = Conv <group = 4> (b, e)",
    "Concat": "c1 = Concat <axis = 1> (b, b) y = Relu (c1)",
    "Gemm": "c1 = Flatten (b) y = Gemm (c1, f)",
    "Add": "c1 = Conv (x, u) y = Add (b, c1)",
}
AFTER_A_MAXIMUM = {
    "AveragePool": "m = MaxPool <kernel_shape = [3, 3]> (r) "
    "y = AveragePool <kernel_shape = [3, 1], pads = [1, 0, 1, 0], count_include_pad = 1> (m)",
    "GlobalAveragePool": "m = MaxPool <kernel_shape = [3, 3]> (r) y = GlobalAveragePool (m)",
    "Mul, Add": "m = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (r) n = Mul (m, c) y = Add (n, r)",
    "AveragePool, Relu": "m = MaxPool <kernel_shape = [3, 3]> (r) "
    "b = AveragePool <kernel_shape = [2, 2]> (m) y = Relu (b)",
}


def error(body: str, samples: Array, bits: int = 12) -> float:
    """Of proven outputs, over the spread of the float network's."""
    text = f"g (float[1,2,7,7] x) => (float[a] y) <{OTHERS}> {{ {body} }}"
    source = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 20]> {text}')
    source.graph.output[0].type.tensor_type.ClearField("shape")
    random = np.random.default_rng(0)
    for name, shape in SIZES.items():
        weights = random.normal(size=shape).astype(np.float32)
        source.graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
    imported, calibration = import_proto(source), Samples({"x": samples}, None)
    float_model = FloatModel(imported)
    model = quantise(imported.graph, calibrate(float_model, calibration), bits).model
    key = Prover.generate(model, Options(max_batch=2), POOL)
    trace = key.runner.run(quantise_inputs(model, {"x": samples[:2]}))
    statement = verify(key.verifying, prove(key, trace, 2))
    runs = list(float_model.run(calibration.first(2)))
    real = np.stack([values[imported.graph.outputs["y"]] for values in runs])
    proven = statement.output["y"]
    return spread_error(real, proven) if real.any() else float(np.abs(proven).max())


def normal() -> Array:
    return np.random.default_rng(1).normal(size=(16, 1, 2, 7, 7))


@pytest.mark.parametrize("name", OF_AN_ACCUMULATOR)
def test_views_of_an_accumulator_are_outputs(name: str) -> None:
    assert error(OF_AN_ACCUMULATOR[name], normal()) < 0.05


@pytest.mark.parametrize("name", AFTER_A_MULTIPLIER)
def test_a_depthwise_convolution_with_a_multiplier_is_read_by_any_layer(name: str) -> None:
    assert error(MULTIPLIED + AFTER_A_MULTIPLIER[name], normal()) < 0.05


@pytest.mark.parametrize("name", AFTER_A_MAXIMUM)
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_sums_of_maxima_do_not_wrap(name: str, bits: int) -> None:
    """Also where calibration saw nothing but zeros before the output, whose scale is then a guess."""
    body = f"r = Relu (x) {AFTER_A_MAXIMUM[name]}"
    assert error(body, normal(), bits) < 0.05
    assert error(body, -np.abs(normal()), bits) == 0
