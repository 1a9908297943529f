"""Operators that arrange tensors: Transpose, Concat, Pad with zeros."""

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.operators.concat import FloatConcat
from deepprove_dist.operators.pad import FloatPad
from deepprove_dist.operators.transpose import FloatTranspose


def _transpose(node: OnnxNode, graph: GraphBuilder) -> None:
    rank = len(graph.shape(node.input(0)))
    permutation = tuple(node.attributes.get("perm", reversed(range(rank))))
    graph.add(FloatTranspose(node.name, (graph.tensor(node.input(0)),), node.outputs[0], permutation))


def _concat(node: OnnxNode, graph: GraphBuilder) -> None:
    constants = [name for name in node.inputs if graph.is_constant(name)]
    if constants:
        raise UnsupportedNodeError(f"{constants} are constants")
    axis = node.attributes["axis"] % len(graph.shape(node.outputs[0]))
    tensors = tuple(graph.tensor(name) for name in node.inputs)
    graph.add(FloatConcat(node.name, tensors, node.outputs[0], axis))


def _pad(node: OnnxNode, graph: GraphBuilder) -> None:
    mode = node.attributes.get("mode", b"constant").decode()
    if mode != "constant":
        raise UnsupportedNodeError(f"its mode is '{mode}'")
    if node.input(2) and graph.required(node.input(2), "the value").any():
        raise UnsupportedNodeError("it pads with another value than zero")
    rank = len(graph.shape(node.input(0)))
    stated = [int(pad) for pad in graph.required(node.input(1), "the padding")]
    axes = list(range(rank))
    if node.input(3):
        axes = [int(axis) % rank for axis in graph.required(node.input(3), "the axes")]
    pads = [0] * (2 * rank)
    for place, axis in enumerate(axes):
        pads[axis], pads[rank + axis] = stated[place], stated[len(axes) + place]
    if min(pads) < 0:
        raise UnsupportedNodeError("it cuts the tensor, by negative padding")
    graph.add(FloatPad(node.name, (graph.tensor(node.input(0)),), node.outputs[0], tuple(pads)))


RULES = (
    Rule("Transpose", frozenset({"perm"}), "Transpose of a computed tensor", _transpose),
    Rule("Concat", frozenset({"axis"}), "Concat of computed tensors", _concat),
    Rule("Pad", frozenset({"mode"}), "Pad with zeros, by constant amounts", _pad),
)
