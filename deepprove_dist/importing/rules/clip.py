"""Clip: y = min(max(x, lowest), highest), where a bound that is omitted or infinite bounds nothing."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.operators.pointwise import IDENTITY, Function, call


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    function: Function = IDENTITY
    for index, primitive in ((1, np.maximum), (2, np.minimum)):
        if node.input(index):
            function = call(primitive, function, graph.number(node.input(index)))
    return apply(graph, graph.tensor(node.input(0)), function)


RULES = (Rule("Clip", "of a float tensor with constant bounds", _rewrite, types=NUMBER_TYPES),)
