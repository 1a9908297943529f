"""Pad: zeros before and after the tensor along any axes."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.pad import FloatPad


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    mode = node.attributes.get("mode", b"constant").decode()
    if mode != "constant":
        raise UnsupportedNodeError(f"its mode is '{mode}'")
    if node.input(2) and graph.required(node.input(2), "the value").any():
        raise UnsupportedNodeError("it pads with another value than zero")
    rank = len(graph.shape(node.input(0)))
    amounts = [int(amount) for amount in graph.required(node.input(1), "the padding")]
    axes = list(range(rank))
    if node.input(3):
        axes = [int(axis) % rank for axis in graph.required(node.input(3), "the axes")]
    pads = [0] * (2 * rank)
    for index, axis in enumerate(axes):
        pads[axis], pads[rank + axis] = amounts[index], amounts[len(axes) + index]
    if min(pads) < 0:
        raise UnsupportedNodeError("it cuts the tensor, by negative padding")
    return graph.add(FloatPad, graph.tensor(node.input(0)), tuple(pads))


RULES = (Rule("Pad", "with zeros, by constant amounts", _rewrite, frozenset({"mode"})),)
