"""Reading the ONNX nodes before a node, to recognise what exporters write as several of them."""

from __future__ import annotations

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES

COPIES = ("Identity", "Cast", "Dropout")
"""Operators whose first output has the values of the first input, where they leave its type."""


def source(graph: GraphBuilder, name: str) -> str:
    """The tensor that a tensor is a copy of."""
    while (node := graph.origin(name)) is not None and _is_copy(graph, node):
        name = node.input(0)
    return name


def _is_copy(graph: GraphBuilder, node: OnnxNode) -> bool:
    """Whether a node's first output has the values of its first input: of casts those between floats."""
    floats = all(graph.type(name) in FLOAT_TYPES for name in (node.input(0), node.output))
    return node.operator in COPIES and (node.operator != "Cast" or floats)


def origin(graph: GraphBuilder, name: str, *operators: str) -> OnnxNode | None:
    """The ONNX node that computes a tensor, if it is of one of these operators; copies do not count."""
    node = graph.origin(source(graph, name))
    return node if node is not None and node.operator in operators else None


def same(graph: GraphBuilder, first: str, second: str) -> bool:
    """Whether two tensors have the same values: one tensor, or differences of the same tensors."""
    first, second = source(graph, first), source(graph, second)
    if first == second:
        return True
    nodes = [origin(graph, name, "Sub") for name in (first, second)]
    inputs = [tuple(source(graph, name) for name in node.inputs) for node in nodes if node is not None]
    return len(inputs) == len(nodes) and inputs[0] == inputs[1]


def number(graph: GraphBuilder, name: str) -> float | None:
    """The value of a constant with one value; None for any other tensor."""
    if not name or not graph.is_constant(name):
        return None
    values = graph.numbers(name, "an operand", infinite=True)
    return float(values.item()) if values.size == 1 else None
