"""Reshape, Flatten, Squeeze, Unsqueeze: with static shapes all are fixed by the output's inferred shape."""

from math import prod

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import MOVED_TYPES
from deepprove_dist.operators.reshape import FloatReshape


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    source, target = graph.shape(node.input(0)), graph.shape(node.output)
    if prod(source) != prod(target):
        raise UnsupportedNodeError(f"it turns shape {source} into {target}")
    return graph.add(FloatReshape, graph.tensor(node.input(0)), target)


def _to_constant_shape(node: OnnxNode, graph: GraphBuilder) -> str:
    if graph.constant(node.input(1)) is None:
        raise UnsupportedNodeError(f"the target shape ('{node.input(1)}') depends on computed values")
    return _rewrite(node, graph)


RULES = (
    Rule(
        "Reshape",
        "to a shape that is known before the model runs",
        _to_constant_shape,
        frozenset({"allowzero"}),
        MOVED_TYPES,
    ),
    Rule("Flatten", "at any axis", _rewrite, frozenset({"axis"}), MOVED_TYPES),
    Rule("Squeeze", "of axes known before the model runs", _rewrite, frozenset({"axes"}), MOVED_TYPES),
    Rule("Unsqueeze", "at axes known before the model runs", _rewrite, frozenset({"axes"}), MOVED_TYPES),
)
