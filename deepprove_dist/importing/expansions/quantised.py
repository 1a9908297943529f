"""Operators on integers of stated formats: QLinearConv, QLinearMatMul, and onnxruntime's.

Each is DequantizeLinear of its inputs, a float operator, and QuantizeLinear. Rules make a rescaling of that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.quantised_node import QuantisedNode
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import RUNTIME

Write = Callable[[QuantisedNode], None]

CHANNELS_LAST = "channels_last"


def _convolution(node: QuantisedNode) -> None:
    inputs = [node.dequantised(0), node.dequantised(3, axis=0)]
    if node.input(8):
        inputs.append(_bias(node, 8))
    node.quantise(node.add("Conv", inputs, **node.attributes), 6)


def _product(node: QuantisedNode) -> None:
    inputs = [node.dequantised(0, axis=-2), node.dequantised(3, axis=-1)]
    node.quantise(node.add("MatMul", inputs), 6)


def _gemm(node: QuantisedNode) -> None:
    inputs = [node.dequantised(0), node.dequantised(3, axis=0 if node.attributes.get("transB") else 1)]
    if node.input(6):
        # The factor of the product is in the scale of what is added, too.
        inputs.append(_bias(node, 6, float(node.attributes.get("alpha", 1.0))))
    if node.input(7):
        node.quantise(node.add("Gemm", inputs, **node.attributes), 7)
    else:
        node.give("Gemm", inputs, **node.attributes)


def _bias(node: QuantisedNode, index: int, factor: float = 1.0) -> str:
    """A bias of 32 bits in real numbers: its scale is the product of those of input and weights."""
    scale = node.add("Mul", [node.input(1), node.input(4)])
    if factor != 1.0:
        scale = node.add("Mul", [scale, node.constant(np.array(factor, np.float32))])
    return node.add("Mul", [node.add("Cast", [node.input(index)], to=onnx.TensorProto.FLOAT), scale])


def _of_integers(operator: str, axis: int) -> Write:
    """The operator on integers less their zero points: integers too, here of a float type.

    ``axis`` is the one along which the second input may have several zero points.
    """

    def write(node: QuantisedNode) -> None:
        inputs = []
        for index, along in ((0, -2), (1, axis)):
            zero_point = node.input(2 + index)
            points = node.value(zero_point)
            ones = node.constant(np.ones(() if points is None else points.shape, np.float32))
            reads = [node.input(index), ones, zero_point] if zero_point else [node.input(index), ones]
            inputs.append(node.add("DequantizeLinear", reads, axis=along))
        node.give(operator, inputs, **node.attributes)

    return write


def _of_tensors(operator: str, count: int, *dropped: str) -> Write:
    """The operator on so many tensors; attributes that only onnxruntime has are dropped."""

    def write(node: QuantisedNode) -> None:
        inputs = [node.dequantised(3 * index) for index in range(count)]
        attributes = {name: value for name, value in node.attributes.items() if name not in dropped}
        node.quantise(node.add(operator, inputs, **attributes), 3 * count)

    return write


def _pool(operator: str) -> Write:
    """A pool over two axes; where channels come last it stands between transpositions."""
    channels_first = _of_tensors(operator, 1, CHANNELS_LAST)

    def write(node: QuantisedNode) -> None:
        if not node.attributes.get(CHANNELS_LAST):
            channels_first(node)
            return
        attributes = {name: value for name, value in node.attributes.items() if name != CHANNELS_LAST}
        moved = node.add("Transpose", [node.dequantised(0)], perm=[0, 3, 1, 2])
        pooled = node.add(operator, [moved], **attributes)
        node.quantise(node.add("Transpose", [pooled], perm=[0, 2, 3, 1]), 3)

    return write


def _concatenation(node: QuantisedNode) -> None:
    inputs = [node.dequantised(index) for index in range(2, len(node.node.input), 3)]
    node.quantise(node.add("Concat", inputs, **node.attributes), 0)


def _choice(node: QuantisedNode) -> None:
    inputs = [node.input(0), node.dequantised(1), node.dequantised(4)]
    node.quantise(node.add("Where", inputs), 7)


def _same(node: QuantisedNode) -> None:
    """The standard's operator of this name."""
    node.give(node.node.op_type, node.node.input, **node.attributes)


def _expansion(operator: str, write: Write, domain: str = RUNTIME) -> Expansion:
    def expand(proto: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
        node = QuantisedNode(proto, scope)
        write(node)
        return node.nodes

    return Expansion(operator, "with constant scales and zero points", expand, domain)


EXPANSIONS = (
    _expansion("ConvInteger", _of_integers("Conv", 0), ""),
    _expansion("MatMulInteger", _of_integers("MatMul", -1), ""),
    _expansion("QLinearConv", _convolution, ""),
    _expansion("QLinearMatMul", _product, ""),
    _expansion("DequantizeLinear", _same),
    _expansion("QGemm", _gemm),
    _expansion("QLinearAdd", _of_tensors("Add", 2)),
    _expansion("QLinearAveragePool", _pool("AveragePool")),
    _expansion("QLinearConcat", _concatenation),
    _expansion("QLinearGlobalAveragePool", _pool("GlobalAveragePool")),
    _expansion("QLinearLeakyRelu", _of_tensors("LeakyRelu", 1)),
    _expansion("QLinearMul", _of_tensors("Mul", 2)),
    _expansion("QLinearReduceMean", _of_tensors("ReduceMean", 1)),
    _expansion("QLinearSigmoid", _of_tensors("Sigmoid", 1)),
    _expansion("QLinearSoftmax", _of_tensors("Softmax", 1, "opset")),
    _expansion("QLinearWhere", _choice),
    _expansion("QuantizeLinear", _same),
)
