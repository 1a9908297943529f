"""Operators of computed tensors of one shape: each float operator that names its ONNX operator has a rule."""

from functools import reduce

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.registry import FLOAT_OPERATORS


def of_one_shape(node: OnnxNode, graph: GraphBuilder) -> list[str] | None:
    """The operands in the float graph, two or more of one shape; None unless all of them are computed.

    Raises UnsupportedNodeError where their shapes differ.
    """
    if len(node.inputs) < 2 or any(map(graph.is_constant, node.inputs)):
        return None
    shapes = {graph.shape(name) for name in node.inputs}
    if len(shapes) != 1:
        raise UnsupportedNodeError(
            f"it broadcasts computed tensors of the shapes {sorted(shapes)}", advice=CUT
        )
    return [graph.tensor(name) for name in node.inputs]


def _rewrite(kind: type[FloatOperator]) -> Rewrite:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        tensors = of_one_shape(node, graph)
        if tensors is None:
            return None
        return reduce(lambda first, second: graph.add(kind, (first, second)), tensors)

    return rewrite


RULES = tuple(
    Rule(kind.onnx_operator, "of computed tensors of one shape", _rewrite(kind))
    for kind in FLOAT_OPERATORS
    if kind.onnx_operator
)
