"""Relu: max(x, 0) elementwise."""

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.float_graph import FloatActivation
from deepprove_dist.importing.rule import Rule


def _apply(node: OnnxNode, graph: GraphBuilder) -> None:
    graph.add(FloatActivation(node.name, graph.tensor(node.input(0)), node.outputs[0], "relu"))


RULES = (Rule("Relu", frozenset(), "Relu of a float tensor", _apply),)
