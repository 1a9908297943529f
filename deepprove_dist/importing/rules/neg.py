"""Neg: y = -x, a number that scales a tensor."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.pointwise import IDENTITY


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    return apply(graph, graph.tensor(node.input(0)), IDENTITY * -1)


RULES = (Rule("Neg", "of a float tensor", _rewrite),)
