"""Normalisations over axes of one sample, with constant scales and biases."""

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.last_axis import along_axes, counted_axis
from deepprove_dist.importing.rewriting.linear_map import scaled_along_axes
from deepprove_dist.importing.rewriting.norms import centred, normalised, of_length_one
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.operators.reshape import FloatReshape

EPSILON = 1e-5
BY_CHANNEL = 21
"""The opset since which GroupNormalization has a scale for each channel, and not for each group."""


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


def _group(node: OnnxNode, graph: GraphBuilder) -> str:
    shape, groups = graph.shape(node.input(0)), node.attributes["num_groups"]
    if len(shape) < 2 or groups < 1 or shape[1] % groups:
        raise UnsupportedNodeError(f"its {groups} groups do not divide the channels of {shape}")
    cut = (shape[0], groups, shape[1] // groups, *shape[2:])
    grouped = graph.add(FloatReshape, graph.tensor(node.input(0)), cut)
    epsilon = node.attributes.get("epsilon", EPSILON)
    result = _centred(graph, grouped, range(2, len(cut)), epsilon)
    if graph.opset >= BY_CHANNEL:
        whole = graph.add(FloatReshape, result, shape)
        return _scaled(node, graph, whole, shape[1:2], trailing=len(shape) - 2)
    scaled = _scaled(node, graph, result, (groups,), trailing=len(cut) - 2)
    return graph.add(FloatReshape, scaled, shape)


def _mean_variance(node: OnnxNode, graph: GraphBuilder) -> str:
    rank = len(graph.shape(node.input(0)))
    axes = tuple(sorted({counted_axis(axis, rank) for axis in node.attributes.get("axes", (0, 2, 3))}))
    return _centred(graph, graph.tensor(node.input(0)), axes, 0.0)


def _lp(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if node.attributes.get("p", 2) != 2:
        return None
    axis = counted_axis(node.attributes.get("axis", -1), len(graph.shape(node.input(0))))

    def apply(rows: str, size: int) -> str:
        return of_length_one(graph, rows, 0.0)

    return along_axes(graph, graph.tensor(node.input(0)), (axis,), apply)


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
    Rule(
        "GroupNormalization",
        CONSTANTS,
        _group,
        frozenset({"epsilon", "num_groups", "stash_type"}),
        since=18,
    ),
    Rule("MeanVarianceNormalization", "over any axes", _mean_variance, frozenset({"axes"}), since=9),
    Rule("LpNormalization", "over any axis, of order 2", _lp, frozenset({"axis", "p"})),
)
