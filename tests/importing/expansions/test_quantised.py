"""Operators on integers of stated formats: as onnxruntime computes them, but for steps of rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.rewriting.standard import RUNTIME
from tests.importing.onnx_comparison import evaluate

SHAPE = (1, 4, 5, 5)
GENERATOR = np.random.default_rng(7)


class Chain:
    """A model: inputs are quantised, one node reads them, and its output is put out as it is."""

    def __init__(self, kind: type[np.generic] = np.uint8) -> None:
        self.kind = kind
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: dict[str, Shape] = {}

    def constant(self, value: object, dtype: type[np.generic] = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def point(self, value: int) -> str:
        return self.constant(value, self.kind)

    def quantised(self, shape: Shape = SHAPE, scale: float = 0.02, point: int = 5) -> list[str]:
        """A quantised input with its scale and zero point."""
        name = f"x{len(self.inputs)}"
        self.inputs[name] = shape
        reads = [self.constant(scale), self.point(point)]
        self.nodes.append(helper.make_node("QuantizeLinear", [name, *reads], [f"{name}_q"]))
        return [f"{name}_q", *reads]

    def weights(self, *shape: int, axis: int | None = None) -> list[str]:
        """Random weights with scales and zero points, along an axis if there is one."""
        values = GENERATOR.integers(-100, 100, shape)
        scales = 0.01 if axis is None else np.linspace(0.005, 0.02, shape[axis])
        points = 0 if axis is None else np.zeros(shape[axis])
        return [self.constant(values, np.int8), self.constant(scales), self.constant(points, np.int8)]

    def output(self, scale: float = 0.03, point: int = 9) -> list[str]:
        return [self.constant(scale), self.point(point)]

    def check(
        self, operator: str, inputs: list[str], domain: str = RUNTIME, kind: int = 0, **attributes: Any
    ) -> None:
        """Holds the float graph against onnxruntime: integers differ by a step at most, and seldom."""
        self.nodes.append(helper.make_node(operator, inputs, ["y"], domain=domain, **attributes))
        given = kind or helper.np_dtype_to_tensor_dtype(np.dtype(self.kind))
        values = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, at) for name, at in self.inputs.items()
        ]
        result = helper.make_tensor_value_info("y", given, None)
        graph = helper.make_graph(self.nodes, "g", values, [result], self.constants)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(RUNTIME, 1)]
        source = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        feeds = {name: GENERATOR.normal(size=shape).astype(np.float32) for name, shape in self.inputs.items()}
        session = onnxruntime.InferenceSession(source.SerializeToString(), providers=["CPUExecutionProvider"])
        (expected,) = session.run(None, feeds)
        imported = import_proto(source)
        computed = evaluate(imported.graph, {name: array.astype(np.float64) for name, array in feeds.items()})
        off = np.abs(computed["y"] - expected)
        assert off.shape == expected.shape
        if given == TensorProto.FLOAT:
            assert off.max() < 1e-4
            return
        assert off.max() <= 1
        assert (off > 0).mean() < 0.1
        assert np.ptp(expected.astype(np.int64)) > 20


@pytest.mark.parametrize("axis", [None, 0])
@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_convolutions(kind: type[np.generic], axis: int | None) -> None:
    chain = Chain(kind)
    bias = chain.constant(GENERATOR.integers(-500, 500, 6), np.int32)
    inputs = [*chain.quantised(), *chain.weights(6, 4, 3, 3, axis=axis), *chain.output(), bias]
    chain.check("QLinearConv", inputs, "", pads=[1, 1, 1, 1], strides=[2, 2])


@pytest.mark.parametrize("axis", [None, 1])
def test_products(axis: int | None) -> None:
    chain = Chain()
    weights = chain.weights(7, 3, axis=axis)
    chain.check("QLinearMatMul", [*chain.quantised((1, 2, 7)), *weights, *chain.output()], "")


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("end", ["quantised", "real"])
def test_dense_layers(transposed: int, end: str) -> None:
    chain = Chain(np.int8)
    weights = chain.weights(*((3, 7) if transposed else (7, 3)), axis=0 if transposed else 1)
    bias = chain.constant(GENERATOR.integers(-500, 500, 3), np.int32)
    inputs = [*chain.quantised((1, 7)), *weights, bias]
    if end == "real":
        chain.check("QGemm", inputs, kind=TensorProto.FLOAT, transB=transposed, alpha=0.5)
    else:
        chain.check("QGemm", [*inputs, *chain.output()], transB=transposed, alpha=0.5)


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("QLinearSigmoid", {}),
        ("QLinearLeakyRelu", {"alpha": 0.2}),
        ("QLinearGlobalAveragePool", {"channels_last": 0}),
        ("QLinearAveragePool", {"kernel_shape": [2, 2], "strides": [1, 1]}),
    ],
)
def test_operators_of_one_tensor(operator: str, attributes: dict[str, Any]) -> None:
    chain = Chain()
    chain.check(operator, [*chain.quantised(), *chain.output(0.004)], **attributes)


def test_a_pool_of_channels_that_come_last() -> None:
    chain = Chain()
    chain.check("QLinearGlobalAveragePool", [*chain.quantised(), *chain.output(0.004)], channels_last=1)


@pytest.mark.parametrize("operator", ["QLinearAdd", "QLinearMul"])
def test_operators_of_two_tensors(operator: str) -> None:
    chain = Chain()
    chain.check(operator, [*chain.quantised(), *chain.quantised(scale=0.017, point=100), *chain.output()])


def test_concatenations() -> None:
    chain = Chain()
    output, parts = chain.output(), [*chain.quantised(), *chain.quantised(scale=0.017, point=100)]
    chain.check("QLinearConcat", [*output, *parts], axis=1)


def test_products_of_integers() -> None:
    chain = Chain()
    tensor, _, _ = chain.quantised((1, 7), scale=0.5)
    points = chain.constant([1, -2, 3], np.int8)
    inputs = [tensor, chain.constant(GENERATOR.integers(-9, 9, (7, 3)), np.int8), chain.point(4), points]
    chain.check("MatMulInteger", inputs, "", TensorProto.INT32)
    chain = Chain()
    tensor, _, _ = chain.quantised(scale=0.5)
    inputs = [tensor, chain.constant(GENERATOR.integers(-9, 9, (3, 4, 2, 2)), np.int8), chain.point(4)]
    chain.check("ConvInteger", inputs, "", TensorProto.INT32)


def test_onnxruntimes_pair_is_that_of_the_standard() -> None:
    chain = Chain(np.int16)
    reads = [chain.constant(0.001), chain.point(-3)]
    chain.inputs["x"] = SHAPE
    chain.nodes.append(helper.make_node("QuantizeLinear", ["x", *reads], ["q"], domain=RUNTIME))
    chain.check("DequantizeLinear", ["q", *reads], kind=TensorProto.FLOAT)
