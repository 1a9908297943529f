"""Concat: computed tensors one after the other along an axis."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.concat import FloatConcat


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    constants = [name for name in node.inputs if graph.is_constant(name)]
    if constants:
        raise UnsupportedNodeError(f"{constants} are constants")
    axis = node.attributes["axis"] % len(graph.shape(node.output))
    return graph.add(FloatConcat, tuple(graph.tensor(name) for name in node.inputs), axis)


RULES = (Rule("Concat", "of computed tensors", _rewrite, frozenset({"axis"}), ALL_TYPES),)
