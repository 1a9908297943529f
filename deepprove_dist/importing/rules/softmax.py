"""Softmax over any axis. Before opset 13 it is over all axes from a first one on."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.last_axis import along_axes, counted_axis
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.softmax import FloatSoftmax

ONE_AXIS = 13
"""The opset since which it is over one axis."""


def normalised_axes(node: OnnxNode, graph: GraphBuilder) -> tuple[int, ...]:
    """The axes over which its results sum to 1."""
    rank, since = len(graph.shape(node.input(0))), graph.opset >= ONE_AXIS
    axis = counted_axis(node.attributes.get("axis", -1 if since else 1), rank)
    return (axis,) if since else tuple(range(axis, rank))


def _softmax(node: OnnxNode, graph: GraphBuilder) -> str:
    def apply(tensor: str, size: int) -> str:
        return graph.add(FloatSoftmax, tensor, size)

    return along_axes(graph, graph.tensor(node.input(0)), normalised_axes(node, graph), apply)


RULES = (Rule("Softmax", "over any axis", _softmax, frozenset({"axis"})),)
