"""Clip: y = min(max(x, lowest), highest), where a bound that is omitted or infinite bounds nothing."""

import math

import numpy as np

from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.broadcasting import broadcast_all
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.extrema import largest, smallest
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.operators.pointwise import IDENTITY, Function, call


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    bounds = [node.input(index) for index in (1, 2)]
    computed = [name for name in bounds if name and not graph.is_constant(name)]
    for name in computed:
        if math.prod(graph.shape(name)) != 1:
            raise UnsupportedNodeError(
                f"its bound '{name}' has the shape {graph.shape(name)}, not one number"
            )
    if computed:
        return _between(graph, graph.tensor(node.input(0)), bounds[0], bounds[1])
    function: Function = IDENTITY
    for index, primitive in ((1, np.maximum), (2, np.minimum)):
        if node.input(index):
            function = call(primitive, function, graph.number(node.input(index)))
    return apply(graph, graph.tensor(node.input(0)), function)


def _between(graph: GraphBuilder, tensor: str, lowest: str, highest: str) -> str:
    """The tensor between bounds of which one is computed."""
    if lowest:
        tensor = largest(graph, broadcast_all(graph, [tensor, _bound(graph, tensor, lowest)]))
    if highest:
        tensor = smallest(graph, broadcast_all(graph, [tensor, _bound(graph, tensor, highest)]))
    return tensor


def _bound(graph: GraphBuilder, like: str, name: str) -> str:
    """A bound as a tensor: a constant one is nothing of another tensor, plus the constant."""
    if not graph.is_constant(name):
        return graph.tensor(name)
    return weighted_sum(graph, [like], [0.0], graph.numbers(name, "a bound"))


RULES = (
    Rule(
        "Clip",
        "of a tensor of numbers with bounds that are constant or computed",
        _rewrite,
        types=NUMBER_TYPES,
    ),
)
