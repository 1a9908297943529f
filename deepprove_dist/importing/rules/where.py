"""Where: one of two values, by a condition that is constant or computed."""

import numpy as np

from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import combine_all
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.pointwise import Function, call
from deepprove_dist.operators.select import FloatSelect
from deepprove_dist.operators.truth import selected

ZERO, ONE = np.array(0.0), np.array(1.0)

Branch = str | float
"""A computed tensor, or a number."""


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    condition, first, second = node.inputs
    if graph.is_constant(condition):
        return _by_constant(graph, node)
    tensors = [graph.tensor(name) for name in node.inputs if not graph.is_constant(name)]
    shapes = {graph.shape(tensor) for tensor in tensors}
    if len(shapes) != 1:
        raise UnsupportedNodeError(
            f"it broadcasts computed tensors of the shapes {sorted(shapes)}", advice=CUT
        )
    decision = graph.tensor(condition)
    branches = [_branch(graph, name, decision) for name in (first, second)]
    return _select(graph, decision, branches[0], branches[1])


def _select(graph: GraphBuilder, condition: str, first: Branch, second: Branch) -> str:
    """The choice, as one function where condition and branches are functions of one tensor."""
    computed = [branch for branch in (first, second) if isinstance(branch, str)]

    def operation(*functions: Function) -> Function:
        rest = iter(functions[1:])
        values = [next(rest) if isinstance(branch, str) else branch for branch in (first, second)]
        return call(selected, functions[0], *values)

    combined = combine_all(graph, (condition, *computed), operation)
    if combined is not None:
        return combined
    numbers = [None if isinstance(branch, str) else branch for branch in (first, second)]
    return graph.add(FloatSelect, (condition, *computed), numbers[0], numbers[1])


def _branch(graph: GraphBuilder, name: str, like: str) -> Branch:
    """A computed branch, a number, or a constant of several values as a tensor."""
    if not graph.is_constant(name):
        return graph.tensor(name)
    values = graph.numbers(name, "a branch")
    if values.size == 1:
        return float(values.item())
    return scale_and_shift(graph, like, np.zeros_like(values), values)


def _by_constant(graph: GraphBuilder, node: OnnxNode) -> str:
    """A computed branch where the condition holds, plus one where it does not."""
    mask = (graph.numbers(node.input(0), "the condition") != 0).astype(np.float64)
    parts, shift = list[str](), np.zeros(())
    for name, factor in ((node.input(1), mask), (node.input(2), 1 - mask)):
        if graph.is_constant(name):
            shift = shift + factor * graph.numbers(name, "a branch")
        else:
            parts.append(scale_and_shift(graph, graph.tensor(name), factor, ZERO))
    total = parts[0] if len(parts) == 1 else weighted_sum(graph, parts, (1.0,) * len(parts))
    return scale_and_shift(graph, total, ONE, shift) if shift.any() else total


RULES = (
    Rule(
        "Where",
        "with a condition and branches that are constant, or computed of one shape",
        _rewrite,
        types=ALL_TYPES,
    ),
)
