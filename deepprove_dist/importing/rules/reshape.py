"""Reshape, Flatten, Squeeze, Unsqueeze: with static shapes all are fixed by the output's inferred shape."""

from math import prod

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.operators.reshape import FloatReshape


def _apply(node: OnnxNode, graph: GraphBuilder) -> None:
    if node.operator == "Reshape" and graph.constant(node.input(1)) is None:
        raise UnsupportedNodeError(f"the target shape ('{node.input(1)}') depends on computed values")
    source, target = graph.shape(node.input(0)), graph.shape(node.outputs[0])
    if prod(source) != prod(target):
        raise UnsupportedNodeError(f"it turns shape {source} into {target}")
    graph.add(FloatReshape(node.name, (graph.tensor(node.input(0)),), node.outputs[0], target))


RULES = (
    Rule(
        "Reshape", frozenset({"allowzero"}), "Reshape to a shape that is known before the model runs", _apply
    ),
    Rule("Flatten", frozenset({"axis"}), "Flatten at any axis", _apply),
    Rule("Squeeze", frozenset({"axes"}), "Squeeze of axes known before the model runs", _apply),
    Rule("Unsqueeze", frozenset({"axes"}), "Unsqueeze at axes known before the model runs", _apply),
)
