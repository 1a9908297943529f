"""Min of computed tensors of one shape: min(x, y) = -max(-x, -y)."""

from functools import reduce

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.same_shape import of_one_shape
from deepprove_dist.operators.maximum import FloatMaximum
from deepprove_dist.operators.pointwise import IDENTITY


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
    tensors = of_one_shape(node, graph)
    if tensors is None:
        return None
    negated = [apply(graph, tensor, IDENTITY * -1) for tensor in tensors]
    largest = reduce(lambda first, second: graph.add(FloatMaximum, (first, second)), negated)
    return apply(graph, largest, IDENTITY * -1)


RULES = (Rule("Min", "of computed tensors of one shape", _rewrite),)
