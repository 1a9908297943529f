"""Max, Min and Pow of one computed tensor and numbers, in any order: a function of each element."""

from functools import reduce

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.operators.pointwise import IDENTITY, Primitive, call, operand


def _rewrite(primitive: Primitive) -> Rewrite:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        computed = [name for name in node.inputs if not graph.is_constant(name)]
        if len(computed) != 1:
            return None
        (tensor,) = computed
        terms = [IDENTITY if name == tensor else operand(graph.number(name)) for name in node.inputs]
        function = reduce(lambda first, second: call(primitive, first, second), terms)
        return apply(graph, graph.tensor(tensor), function)

    return rewrite


RULES = (
    Rule("Max", "of a computed tensor and numbers", _rewrite(np.maximum)),
    Rule("Min", "of a computed tensor and numbers", _rewrite(np.minimum)),
    Rule("Pow", "of a computed tensor and a number, either of them the exponent", _rewrite(np.power)),
)
