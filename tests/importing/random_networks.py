"""Random small ONNX networks of convolutions, pools, activations, sums and concatenations."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from hypothesis import strategies as st
from onnx import helper, numpy_helper

ACTIVATIONS = ("Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSwish", "Gelu", "Softplus", "Elu", "Clip", "Silu")
LAYERS = (
    "conv",
    "depthwise",
    "max",
    "average",
    "norm",
    "activation",
    "add",
    "sub",
    "multiply",
    "concat",
    "scale",
    "pad",
    "shuffle",
)
SPATIAL = (7, 6)


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    """Up to seven layers, each on any tensor before it, then perhaps a global pool and a dense layer."""
    network = _Network(draw, draw(st.integers(0, 2**32 - 1)))
    value = network.add_input((1, draw(st.integers(1, 3)), *SPATIAL))
    values = [value]
    for _ in range(draw(st.integers(1, 7))):
        value = network.add_layer(draw(st.sampled_from(LAYERS)), draw(st.sampled_from(values)), values)
        values.append(value)
    if draw(st.booleans()):
        value = network.node(draw(st.sampled_from(("GlobalAveragePool", "GlobalMaxPool"))), [value])
    if draw(st.booleans()):
        flat = network.node("Flatten", [value])
        width = int(np.prod(network.shape(flat)))
        value = network.node("Gemm", [flat, network.weight(width, 4), network.weight(4)])
    return network.finish(value)


class _Network:
    def __init__(self, draw: st.DrawFn, seed: int) -> None:
        self._draw = draw
        self._generator = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []

    def add_input(self, shape: tuple[int, ...]) -> str:
        self._inputs.append(helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape))
        return "x"

    def weight(self, *shape: int) -> str:
        """Normal weights that leave the size of values about as it is."""
        values = self._generator.normal(size=shape) / np.sqrt(np.prod(shape[1:]) or 1)
        return self.constant(values)

    def constant(self, values: npt.NDArray[Any], kind: npt.DTypeLike = np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        output = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def shape(self, name: str) -> tuple[int, ...]:
        if name == "x":
            value = self._inputs[0]
        else:
            inferred = onnx.shape_inference.infer_shapes(self.finish(name), strict_mode=True)
            value = inferred.graph.output[0]
        return tuple(size.dim_value for size in value.type.tensor_type.shape.dim)

    def finish(self, output: str) -> onnx.ModelProto:
        out = helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)
        graph = helper.make_graph(self._nodes, "random", self._inputs, [out], self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)

    def add_layer(self, kind: str, value: str, values: list[str]) -> str:
        shape = self.shape(value)
        channels = shape[1]
        match kind:
            case "conv":
                kernel = [self._draw(st.integers(1, min(3, size))) for size in shape[2:]]
                outputs = self._draw(st.integers(1, 4))
                weights = [self.weight(outputs, channels, *kernel), self.weight(outputs)]
                strides = [self._draw(st.integers(1, 2)) for _ in kernel]
                pads = self._pads(kernel)
                return self.node("Conv", [value, *weights], strides=strides, pads=pads)
            case "depthwise":
                weights = [self.weight(channels * self._draw(st.integers(1, 2)), 1, 1, 1)]
                return self.node("Conv", [value, *weights], group=channels)
            case "shuffle":
                return self._shuffle(value, shape)
            case "max" | "average":
                kernel = [self._draw(st.integers(1, min(3, size))) for size in shape[2:]]
                strides = [self._draw(st.integers(1, 2)) for _ in kernel]
                pool = {"kernel_shape": kernel, "strides": strides, "pads": self._pads(kernel)}
                if kind == "max":
                    return self.node("MaxPool", [value], **pool)
                include = self._draw(st.integers(0, 1))
                return self.node("AveragePool", [value], count_include_pad=include, **pool)
            case "norm":
                parameters = [self.constant(self._generator.uniform(0.5, 1.5, channels)) for _ in range(4)]
                return self.node("BatchNormalization", [value, *parameters])
            case "scale":
                factor = self.constant(self._generator.uniform(0.5, 2, (1, channels, 1, 1)))
                return self.node(self._draw(st.sampled_from(("Mul", "Add", "Sub", "Div"))), [value, factor])
            case "pad":
                amounts = self.constant(np.array([0, 0, 1, 0, 0, 1, 0, 2]), np.int64)
                return self.node("Pad", [value, amounts])
            case "add" | "sub" | "multiply" | "concat":
                alike = [other for other in values if self.shape(other) == shape]
                other = self._draw(st.sampled_from(alike))
                if kind == "concat":
                    return self.node("Concat", [value, other], axis=1)
                operators = {"add": "Add", "sub": "Sub", "multiply": "Mul"}
                return self.node(operators[kind], [value, other])
            case _:
                return self._activation(value)

    def _activation(self, value: str) -> str:
        kind = self._draw(st.sampled_from(ACTIVATIONS))
        if kind == "Clip":
            return self.node(kind, [value, self.constant(np.array(-0.5)), self.constant(np.array(1.0))])
        if kind == "Silu":
            return self.node("Mul", [value, self.node("Sigmoid", [value])])
        return self.node(kind, [value])

    def _shuffle(self, value: str, shape: tuple[int, ...]) -> str:
        """Dimensions cut anywhere, put in another order, and joined to an image again."""
        size = int(np.prod(shape))
        cut = [1, *self._factors(size, self._draw(st.integers(2, 5)))]
        value = self.node("Reshape", [value, self.constant(np.array(cut), np.int64)])
        order = self._draw(st.permutations(range(1, len(cut))))
        value = self.node("Transpose", [value], perm=[0, *order])
        image = [1, *self._factors(size, 3)]
        return self.node("Reshape", [value, self.constant(np.array(image), np.int64)])

    def _factors(self, size: int, count: int) -> list[int]:
        """So many factors of a number."""
        factors = []
        for _ in range(count - 1):
            factors.append(self._draw(st.sampled_from([k for k in range(1, size + 1) if size % k == 0])))
            size //= factors[-1]
        return [*factors, size]

    def _pads(self, kernel: list[int]) -> list[int]:
        return [self._draw(st.integers(0, size - 1)) for size in (*kernel, *kernel)]
