"""Where: one of two values, by a condition; each of the three is constant or computed, and all broadcast."""

from __future__ import annotations

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.broadcasting import broadcast_shape, broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply, combine_all
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.pointwise import IDENTITY, Function, call
from deepprove_dist.operators.select import FloatSelect
from deepprove_dist.operators.truth import selected

Branch = str | float
"""A computed tensor, or a number."""


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    roles = ("the condition", "a branch", "a branch")
    constants = {
        name: graph.numbers(name, role)
        for name, role in zip(node.inputs, roles, strict=True)
        if graph.is_constant(name)
    }
    computed = [graph.tensor(name) for name in node.inputs if name not in constants]
    shape = broadcast_shape(map(graph.shape, node.inputs))
    condition, first, second = (
        _operand(graph, constants.get(name), name, computed[0], shape) for name in node.inputs
    )
    if isinstance(condition, float):
        chosen = first if condition else second
        # A number stands for a constant output, as large as the other operands make it.
        tensor = chosen if isinstance(chosen, str) else apply(graph, computed[0], IDENTITY * 0 + chosen)
        return broadcast_to(graph, tensor, shape)
    return select(graph, condition, first, second)


def select(graph: GraphBuilder, condition: str, first: Branch, second: Branch) -> str:
    """The choice, as one function where condition and branches are functions of one tensor."""
    branches = (first, second)
    computed = [branch for branch in branches if isinstance(branch, str)]

    def operation(decision: Function, *functions: Function) -> Function:
        others = iter(functions)
        values = [next(others) if isinstance(branch, str) else branch for branch in branches]
        return call(selected, decision, *values)

    combined = combine_all(graph, (condition, *computed), operation)
    if combined is not None:
        return combined
    numbers = [None if isinstance(branch, str) else branch for branch in branches]
    return graph.add(FloatSelect, (condition, *computed), numbers[0], numbers[1])


def _operand(graph: GraphBuilder, constant: FloatArray | None, name: str, like: str, shape: Shape) -> Branch:
    """A tensor under a shape, or a number. A constant of several values is one too: nothing of another one,
    plus the constant.
    """
    if constant is None:
        return broadcast_to(graph, graph.tensor(name), shape)
    if constant.size == 1:
        return float(constant.item())
    return broadcast_to(graph, weighted_sum(graph, [like], [0.0], constant), shape)


RULES = (Rule("Where", "of tensors that broadcast", _rewrite, types=ALL_TYPES, since=9),)
