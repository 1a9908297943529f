"""Operators of computed tensors, which are broadcast: each float operator that names its ONNX operator has a
rule.
"""

from functools import reduce

from deepprove_dist.importing.rewriting.broadcasting import broadcast_all
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.importing.rewriting.wrapping import in_type_after
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.registry import float_operators


def broadcast_operands(node: OnnxNode, graph: GraphBuilder) -> list[str] | None:
    """The operands in the float graph, two or more, under one shape; None unless all of them are computed."""
    if len(node.inputs) < 2 or any(map(graph.is_constant, node.inputs)):
        return None
    return broadcast_all(graph, [graph.tensor(name) for name in node.inputs])


def _rewrite(kind: type[FloatOperator]) -> Rewrite:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        tensors = broadcast_operands(node, graph)
        if tensors is None:
            return None
        result = reduce(lambda first, second: graph.add(kind, (first, second)), tensors)
        function = in_type_after(graph.type(node.output))
        return result if function is None else apply(graph, result, function)

    return rewrite


RULES = tuple(
    Rule(kind.onnx_operator, "of computed tensors", _rewrite(kind), types=NUMBER_TYPES)
    for kind in float_operators()
    if kind.onnx_operator
)
