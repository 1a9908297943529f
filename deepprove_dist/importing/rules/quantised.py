"""QuantizeLinear and DequantizeLinear: the formats that a quantised model states for its tensors.

    q = clamp(round(x / scale) + zero point)        y = scale * (q - zero point)

Both together are one rescaling to a format that is given. Integers between them are values like others.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import onnx

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.affine import CHANNELS, scale_and_shift
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import ConsequenceError, UnsupportedNodeError, unknown
from deepprove_dist.importing.rewriting.rule import Refusal, Rule
from deepprove_dist.importing.rewriting.standard import QUANTISED_TYPES, plain_name, type_name
from deepprove_dist.operators.fixed import FloatFixed, fixed_node
from deepprove_dist.operators.pointwise import IDENTITY, Function, compose, evaluate
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.shifted import FloatShifted, undone

Ends = tuple[int, int]

SCALE_TYPES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT)
# Blocks, and 4 and 16 bits, begin with this opset.
EVALUATED_AS = 21


@dataclass(frozen=True)
class _Scaling:
    """Scales and zero points: one of each, or arrays that broadcast to the tensor's shape."""

    scale: FloatArray
    zero_point: FloatArray

    @property
    def single(self) -> tuple[float, int] | None:
        """Scale and zero point, where there is one of each."""
        if (self.scale == self.scale.flat[0]).all() and (self.zero_point == self.zero_point.flat[0]).all():
            return float(self.scale.flat[0]), int(self.zero_point.flat[0])
        return None


def _quantise(node: OnnxNode, graph: GraphBuilder) -> str:
    limits = _limits(node, graph)
    scaling = _scaling(node, graph)
    tensor = graph.tensor(node.input(0))
    if scaling.single is None:
        scaled = _scaled(graph, tensor, 1 / scaling.scale, scaling.zero_point)
        return graph.add(FloatFixed, scaled, 1.0, *limits)
    unit, zero_point = scaling.single
    if not limits[0] <= zero_point <= limits[1]:
        raise UnsupportedNodeError(f"its zero point {zero_point} is outside [{limits[0]}, {limits[1]}]")
    fixed = graph.add(FloatFixed, tensor, unit, limits[0] - zero_point, limits[1] - zero_point)
    return graph.add(FloatShifted, fixed, unit, zero_point, 1.0)


def _dequantise(node: OnnxNode, graph: GraphBuilder) -> str:
    scaling = _scaling(node, graph)
    tensor = graph.tensor(node.input(0))
    if scaling.single is None:
        return _scaled(graph, tensor, scaling.scale, -scaling.scale * scaling.zero_point)
    unit, zero_point = scaling.single
    # Both nodes together are a rescaling, named after this one: onnxruntime computes its values.
    together = _with_quantisation(graph, tensor, unit, zero_point)
    if together is not None:
        return together
    return graph.add(FloatShifted, tensor, 1.0, -zero_point, unit)


def _scaled(graph: GraphBuilder, tensor: str, scale: FloatArray, shift: FloatArray) -> str:
    """The tensor times scales, and shifted. Of blocks, and along other axes, each element is a channel."""
    shape = graph.shape(tensor)
    if all(size == 1 or axis == CHANNELS for axis, size in enumerate(scale.shape)):
        return scale_and_shift(graph, tensor, scale, shift)
    flat = graph.add(FloatReshape, tensor, (1, prod(shape)))
    factors, offsets = (np.broadcast_to(values, shape).reshape(1, -1) for values in (scale, shift))
    return graph.add(FloatReshape, scale_and_shift(graph, flat, factors, offsets), shape)


def _with_quantisation(graph: GraphBuilder, tensor: str, unit: float, zero_point: int) -> str | None:
    """The rescaling that the tensor's quantisation is with this dequantisation; None without one.

    A Clip between them makes the range narrower.
    """
    function: Function = IDENTITY
    while (node := graph.producer(tensor)) is not None and node.elementwise is not None:
        tensor, function = node.input, compose(function, node.elementwise)
    before = undone(node, -zero_point, unit)
    fixed = None if before is None else fixed_node(graph.producer(before))
    if fixed is None:
        return None
    integers = np.arange(fixed.lo, fixed.hi + 1)
    results = evaluate(function, (integers + zero_point).astype(np.float64)) - zero_point
    lowest, highest = float(results.min()), float(results.max())
    if not (lowest <= 0 <= highest and np.array_equal(results, np.clip(integers, lowest, highest))):
        return None
    return graph.add(FloatFixed, fixed.input, unit, int(lowest), int(highest))


def _limits(node: OnnxNode, graph: GraphBuilder) -> Ends:
    """The smallest and the largest integer of the type that a node quantises to."""
    kind = graph.type(node.output)
    if kind == 0:
        raise unknown(f"the type of '{node.output}'")
    if kind not in QUANTISED_TYPES:
        types = ", ".join(map(plain_name, QUANTISED_TYPES))
        raise UnsupportedNodeError(f"it quantises to {type_name(kind)}", f"quantisation to {types}")
    name = plain_name(kind)
    bits = int(name.lstrip("uint"))
    return (0, 2**bits - 1) if name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _scaling(node: OnnxNode, graph: GraphBuilder) -> _Scaling:
    """The node's scales and zero points.

    Raises UnsupportedNodeError for scales that are not positive, and where they do not fit the tensor.
    """
    shape = graph.shape(node.input(0))
    computed = [name for name in node.inputs[1:] if name and not graph.is_constant(name)]
    if computed:
        # Mostly by a node of dynamic quantisation, which is refused itself.
        raise ConsequenceError(f"its scale or zero point ({computed}) is computed", "constant ones")
    scale = graph.numbers(node.input(1), "the scale")
    zero_point = graph.numbers(node.input(2), "the zero point") if node.input(2) else np.zeros(())
    if (scale <= 0).any():
        raise UnsupportedNodeError(f"the scale ('{node.input(1)}') is not positive")
    return _Scaling(_along(node, scale, shape), _along(node, zero_point, shape))


def _along(node: OnnxNode, values: FloatArray, shape: Shape) -> FloatArray:
    """Numbers for a tensor of this shape: one, or one for each index or block of an axis."""
    if values.size == 1:
        return values.reshape(())
    axis = node.attributes.get("axis", 1)
    if not -len(shape) <= axis < len(shape):
        raise UnsupportedNodeError(f"its axis is {axis}, of a tensor of shape {shape}")
    axis %= len(shape)
    if block := node.attributes.get("block_size", 0):
        blocks = np.repeat(values, block, axis=axis)
        return blocks.take(range(min(shape[axis], blocks.shape[axis])), axis=axis)
    if values.shape != (shape[axis],):
        raise UnsupportedNodeError(
            f"its scales or zero points have the shape {values.shape}; axis {axis} of {shape} needs "
            f"{shape[axis]} of them"
        )
    return values.reshape([-1 if index == axis else 1 for index in range(len(shape))])


RULES = (
    Rule(
        "QuantizeLinear",
        "to 4, 8 or 16 bits with constant scales and zero points",
        _quantise,
        frozenset({"axis", "block_size", "output_dtype", "precision", "saturate"}),
        QUANTISED_TYPES,
        since=10,
        evaluated_as=EVALUATED_AS,
    ),
    Rule(
        "DequantizeLinear",
        "with constant scales and zero points",
        _dequantise,
        frozenset({"axis", "block_size", "output_dtype"}),
        SCALE_TYPES,
        since=10,
        evaluated_as=EVALUATED_AS,
    ),
)

REFUSALS = tuple(
    Refusal(
        operator,
        "it chooses other scales for each input, so the model has no fixed integers",
        "float models, and models quantised with fixed scales (QuantizeLinear, DequantizeLinear)",
        "give the float model that this one was quantised from: setup quantises it. Or quantise it "
        "statically, as onnxruntime's quantize_static does",
    )
    for operator in (
        "DynamicQuantizeLSTM",
        "DynamicQuantizeLinear",
        "DynamicQuantizeMatMul",
        "MatMulIntegerToFloat",
        "QAttention",
    )
)
