"""Atan, and the hyperbolic functions that are defined everywhere."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.operators.pointwise import IDENTITY, Primitive, call


def _rewrite(primitive: Primitive) -> Rewrite:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        return apply(graph, graph.tensor(node.input(0)), call(primitive, IDENTITY))

    return rewrite


RULES = (
    Rule("Asinh", "of a float tensor", _rewrite(np.arcsinh), since=9),
    Rule("Atan", "of a float tensor", _rewrite(np.arctan)),
    Rule("Cosh", "of a float tensor", _rewrite(np.cosh), since=9),
    Rule("Sinh", "of a float tensor", _rewrite(np.sinh), since=9),
)
