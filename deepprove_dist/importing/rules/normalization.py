"""Normalisations over axes of one sample, with constant scales and biases."""

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.broadcasting import broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply as apply_function
from deepprove_dist.importing.rewriting.last_axis import along_axes, counted_axis
from deepprove_dist.importing.rewriting.linear_map import scaled_along_axes
from deepprove_dist.importing.rewriting.norms import centred, normalised, of_length_one
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rules.reduce import summed
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.operators.quotient import FloatQuotient
from deepprove_dist.operators.reshape import FloatReshape

EPSILON = 1e-5
SMALLEST = 1e-30
"""What takes the place of a sum of sizes that is zero."""


def _centred(graph: GraphBuilder, tensor: str, axes: range | tuple[int, ...], epsilon: float) -> str:
    def apply(rows: str, size: int) -> str:
        return normalised(graph, centred(graph, rows), epsilon)

    return along_axes(graph, tensor, axes, apply)


def _from_axis_on(*, centring: bool) -> Rewrite:
    """Of all axes from a given one on."""

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        shape, tensor = graph.shape(node.input(0)), graph.tensor(node.input(0))
        axis = counted_axis(node.attributes.get("axis", -1), len(shape))
        epsilon = node.attributes.get("epsilon", EPSILON)

        def apply(rows: str, size: int) -> str:
            return normalised(graph, centred(graph, rows) if centring else rows, epsilon)

        result = along_axes(graph, tensor, range(axis, len(shape)), apply)
        return _scaled(node, graph, result, shape[axis:])

    return rewrite


def _instance(node: OnnxNode, graph: GraphBuilder) -> str:
    shape, epsilon = graph.shape(node.input(0)), node.attributes.get("epsilon", EPSILON)
    result = _centred(graph, graph.tensor(node.input(0)), range(2, len(shape)), epsilon)
    return _scaled(node, graph, result, shape[1:2], trailing=len(shape) - 2)


def _mean_variance(node: OnnxNode, graph: GraphBuilder) -> str:
    rank = len(graph.shape(node.input(0)))
    axes = tuple(sorted({counted_axis(axis, rank) for axis in node.attributes.get("axes", (0, 2, 3))}))
    return _centred(graph, graph.tensor(node.input(0)), axes, 0.0)


def _lp(node: OnnxNode, graph: GraphBuilder) -> str:
    order = node.attributes.get("p", 2)
    axis = counted_axis(node.attributes.get("axis", -1), len(graph.shape(node.input(0))))

    def apply(rows: str, size: int) -> str:
        return of_length_one(graph, rows, 0.0) if order == 2 else _of_sum_one(graph, rows)

    return along_axes(graph, graph.tensor(node.input(0)), (axis,), apply)


def _of_sum_one(graph: GraphBuilder, rows: str) -> str:
    """x / sum |x| over the last axis."""
    shape = graph.shape(rows)
    sizes = summed(graph, apply_function(graph, rows, call(np.absolute, IDENTITY)), (len(shape) - 1,))
    # A row of zeros stays one.
    sizes = apply_function(graph, sizes, call(np.maximum, IDENTITY, SMALLEST))
    column = graph.add(FloatReshape, sizes, (*shape[:-1], 1))
    return graph.add(FloatQuotient, (rows, broadcast_to(graph, column, shape)))


def _scaled(node: OnnxNode, graph: GraphBuilder, tensor: str, shape: Shape, trailing: int = 0) -> str:
    """Times the constant scale, plus the bias; these have a shape, before so many further axes."""
    scale = _constant(node, graph, 1, "the scale", shape, np.ones(()))
    bias = _constant(node, graph, 2, "the bias", shape, np.zeros(()))
    if (scale == 1).all() and not bias.any():
        return tensor
    ones = (1,) * trailing
    factors, offsets = (values.reshape(*values.shape, *ones) for values in (scale, bias))
    return scaled_along_axes(graph, tensor, factors, offsets)


def _constant(
    node: OnnxNode, graph: GraphBuilder, index: int, role: str, shape: Shape, default: FloatArray
) -> FloatArray:
    """A constant input that broadcasts to a shape, under that shape."""
    values = graph.numbers(node.input(index), role) if node.input(index) else default
    try:
        whole: FloatArray = np.broadcast_to(values, shape)
    except ValueError:
        raise UnsupportedNodeError(f"{role} of shape {values.shape} does not broadcast to {shape}") from None
    return whole


_FROM_AXIS_ON = frozenset({"axis", "epsilon", "stash_type"})
CONSTANTS = "with constant scale and bias"
RULES = (
    Rule("LayerNormalization", CONSTANTS, _from_axis_on(centring=True), _FROM_AXIS_ON, since=17),
    Rule("RMSNormalization", CONSTANTS, _from_axis_on(centring=False), _FROM_AXIS_ON, since=23),
    Rule("InstanceNormalization", CONSTANTS, _instance, frozenset({"epsilon"})),
    Rule("MeanVarianceNormalization", "over any axes", _mean_variance, frozenset({"axes"}), since=9),
    Rule("LpNormalization", "over any axis", _lp, frozenset({"axis", "p"})),
)
