"""Models that are quantised already: without samples, in their own formats, with onnxruntime's results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from deepprove_dist.arrays import FloatArray
from deepprove_dist.auditing import audit
from deepprove_dist.errors import SamplesError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.stated import STATED, quantise_as_stated
from deepprove_dist.setting_up import setup
from tests.importing.onnx_comparison import model

RESIDUAL = """
    c = Conv <pads = [1, 1, 1, 1]> (x, w1, b1) r = Relu (c) d = Conv <pads = [1, 1, 1, 1]> (r, w2, b2)
    s = Add (d, r) t = Relu (s) p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (t)
    e = Conv (p, w3) f = Sigmoid (e) m = Mul (e, f) n = LeakyRelu <alpha = 0.1> (m)
    g = GlobalAveragePool (m) h = GlobalAveragePool (n) j = Concat <axis = 1> (g, h) k = Flatten (j)
    y = Gemm <transB = 1> (k, w4, b4)"""
SIZES = {
    "w1": (4, 3, 3, 3),
    "b1": (4,),
    "w2": (4, 4, 3, 3),
    "b2": (4,),
    "w3": (6, 4, 1, 1),
    "w4": (5, 12),
    "b4": (5,),
}
FORMATS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "pairs": (QuantFormat.QDQ, QuantType.QUInt8, {}),
    "pairs by channel": (QuantFormat.QDQ, QuantType.QInt8, {"per_channel": True}),
    "operators": (QuantFormat.QOperator, QuantType.QUInt8, {"per_channel": True}),
    "operators on signed integers": (QuantFormat.QOperator, QuantType.QInt8, {}),
    "symmetric pairs": (
        QuantFormat.QDQ,
        QuantType.QInt8,
        {"extra_options": {"ActivationSymmetric": True}},
    ),
    "pairs of 16 bits": (QuantFormat.QDQ, QuantType.QInt16, {}),
}
COUNT = 40


def images(seed: int = 0) -> FloatArray:
    values = np.random.default_rng(seed).normal(size=(COUNT, 1, 3, 6, 6)).clip(-3, 3)
    return values.astype(np.float32).astype(np.float64)


class Images(CalibrationDataReader):  # type: ignore[misc]
    """What onnxruntime calibrates on."""

    def __init__(self) -> None:
        self._images: Iterator[FloatArray] = iter(images())

    def get_next(self) -> dict[str, object] | None:
        image = next(self._images, None)
        return None if image is None else {"x": image.astype(np.float32)}


def residual() -> onnx.ModelProto:
    generator = np.random.default_rng(3)
    source = model(f"g (float[1,3,6,6] x) => (float[1,5] y) {{ {RESIDUAL} }}")
    for name, shape in SIZES.items():
        values = (generator.normal(size=shape) * 0.3).astype(np.float32)
        source.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return source


@pytest.fixture(params=FORMATS)
def quantised(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file of a network that onnxruntime has quantised."""
    layout, kind, choices = FORMATS[request.param]
    onnx.save(residual(), tmp_path / "float.onnx")
    quantize_static(
        tmp_path / "float.onnx",
        tmp_path / "model.onnx",
        Images(),
        quant_format=layout,
        activation_type=kind,
        weight_type=QuantType.QInt8,
        **choices,
    )
    return tmp_path / "model.onnx"


def expected(path: Path, values: FloatArray) -> FloatArray:
    """What onnxruntime computes, operator by operator."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {"x": value.astype(np.float32)})[0] for value in values])


def test_a_quantised_network_is_set_up_without_samples_and_proven(quantised: Path, tmp_path: Path) -> None:
    keys = setup(quantised, transparent=True)
    assert keys.report.range_rule == STATED
    assert not keys.report.warnings
    assert [output.samples for output in keys.report.outputs] == ["random"]
    values = images(1)
    results = keys.infer(values, clamp=True).output["y"]
    (output,) = keys.prover.model.outputs
    steps = np.abs(results - expected(quantised, values)) / output.scale.number
    # Of 16 bits a step is little, and products are taken of 12.
    wide = output.hi - output.lo == 2**16 - 1
    assert np.mean(steps > 0.5) < (1 if wide else 0.1)
    assert steps.max() < (128 if wide else 1.5)
    proof = keys.prove(values[:1], clamp=True)
    assert (keys.verifying.verify(proof).output["y"] == results[:1]).all()
    keys.save(tmp_path / "keys")
    assert audit(tmp_path / "keys", quantised).same


def test_formats_that_are_missing_are_named() -> None:
    pair = "q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z)"
    text = "g (float[1,4] x) => (float[1,4] y) <float s = {0.1}, uint8 z = {128}, float[4,4] w> { BODY }"
    weights = onnx.numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")

    def float_model(body: str) -> FloatModel:
        source = model(text.replace(", float[4,4] w", "").replace("BODY", body))
        source.graph.initializer.append(weights)
        return FloatModel(import_proto(source))

    with pytest.raises(SamplesError, match="no format for 'x'"):
        quantise_as_stated(float_model("y = MatMul (x, w)"))
    with pytest.raises(SamplesError, match="no format for 'h'"):
        quantise_as_stated(float_model(f"{pair} h = MatMul (d, w) y = MatMul (h, w)"))
    # An output that is a layer's sum needs none, nor does a function of integers.
    quantise_as_stated(float_model(f"{pair} y = MatMul (d, w)"))
    quantise_as_stated(float_model(f"{pair} y = Sigmoid (d)"))


def test_another_zero_point_is_another_model() -> None:
    def source(point: int) -> onnx.ModelProto:
        return model(
            f"""g (float[1,2] x) => (float[1,2] y)
            <float s = {{0.1}}, uint8 z = {{128}}, uint8 p = {{{point}}}, float t = {{0.2}},
            float[2,2] w = {{1, 2, 3, -4}}> {{ q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z)
            h = MatMul (d, w) r = QuantizeLinear (h, t, p) y = DequantizeLinear (r, t, p) }}"""
        )

    graphs = [import_proto(source(point)) for point in (100, 101)]
    quantised = quantise_as_stated(FloatModel(graphs[0])).final.quantised.model
    assert differences(quantised, graphs[0].graph) == []
    assert differences(quantised, graphs[1].graph)


def test_sums_that_are_exact_round_as_the_standard_says() -> None:
    """Halves go to even integers, where a table of the sum decides."""
    source = model(
        """g (float[1,1,4,4] x) => (float[1,1,2,2] y) <float s = {0.5}, uint8 z = {100}> {
        q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z)
        p = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (d) r = QuantizeLinear (p, s, z)
        y = DequantizeLinear (r, s, z) }"""
    )
    keys = setup(source, transparent=True)
    values = np.random.default_rng(0).integers(-50, 50, (200, 1, 1, 4, 4)) * 0.5
    pooled = values.reshape(200, 2, 2, 2, 2).mean(axis=(2, 4)).reshape(200, 1, 1, 2, 2)
    results = keys.infer(values).output["y"]
    assert (results == np.rint(pooled / 0.5) * 0.5).all()
    assert (results != np.floor(pooled / 0.5 + 0.5) * 0.5).any()
