"""Transpose: the axes in another order."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import MOVED_TYPES
from deepprove_dist.operators.transpose import FloatTranspose


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    rank = len(graph.shape(node.input(0)))
    permutation = tuple(node.attributes.get("perm", reversed(range(rank))))
    return graph.add(FloatTranspose, graph.tensor(node.input(0)), permutation)


RULES = (Rule("Transpose", "of a computed tensor", _rewrite, frozenset({"perm"}), MOVED_TYPES),)
