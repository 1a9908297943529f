"""Add, Sub, Mul, Div and Sum: constants scale and shift, functions of one tensor fuse, sums stay sums."""

from collections.abc import Callable

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply, combine
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.operators.pointwise import IDENTITY, Function, call

ONE, ZERO = np.array(1.0), np.array(0.0)
WITH_A_CONSTANT = "of a computed tensor and a constant (a number, or one by channel)"

WithConstant = Callable[[GraphBuilder, str, FloatArray], str]
"""What a computed tensor and a constant make, where the rule knows which of them comes first."""

OfComputed = Callable[[OnnxNode, GraphBuilder], str | None]


def _binary(
    operation: Callable[[Function, Function], Function],
    constant_second: WithConstant,
    constant_first: WithConstant,
    both_computed: OfComputed,
) -> Rewrite:
    """The rewriting of an operator on two tensors, one of which may be constant."""

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        first, second = node.input(0), node.input(1)
        if graph.is_constant(second):
            constant = graph.numbers(second, "the right operand")
            return constant_second(graph, graph.tensor(first), constant)
        if graph.is_constant(first):
            constant = graph.numbers(first, "the left operand")
            return constant_first(graph, graph.tensor(second), constant)
        combined = combine(graph, graph.tensor(first), graph.tensor(second), operation)
        return both_computed(node, graph) if combined is None else combined

    return rewrite


def _shifted(graph: GraphBuilder, tensor: str, constant: FloatArray) -> str:
    return scale_and_shift(graph, tensor, ONE, constant)


def _shifted_down(graph: GraphBuilder, tensor: str, constant: FloatArray) -> str:
    return scale_and_shift(graph, tensor, ONE, -constant)


def _subtracted(graph: GraphBuilder, tensor: str, constant: FloatArray) -> str:
    return scale_and_shift(graph, tensor, -ONE, constant)


def _scaled(graph: GraphBuilder, tensor: str, constant: FloatArray) -> str:
    return scale_and_shift(graph, tensor, constant, ZERO)


def _divided(graph: GraphBuilder, tensor: str, constant: FloatArray) -> str:
    if not constant.all():
        raise UnsupportedNodeError("it divides by zero")
    return scale_and_shift(graph, tensor, 1 / constant, ZERO)


def _reciprocal(graph: GraphBuilder, tensor: str, constant: FloatArray) -> str:
    if constant.size > 1:
        raise UnsupportedNodeError("it divides a constant of several values by a computed tensor")
    return apply(graph, tensor, call(np.divide, constant.item(), IDENTITY))


def _sum(second: float | None = None) -> OfComputed:
    """A sum of all inputs, or of two, the second of which has a coefficient."""

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        names = [name for name in node.inputs if not graph.is_constant(name)]
        shapes = {graph.shape(name) for name in (*names, node.output)}
        if len(shapes) != 1:
            raise UnsupportedNodeError(
                f"it broadcasts computed tensors of the shapes {sorted(shapes)}", advice=CUT
            )
        coefficients = (1.0,) * len(node.inputs) if second is None else (1.0, second)
        return weighted_sum(graph, [graph.tensor(name) for name in node.inputs], coefficients)

    return rewrite


def _none(node: OnnxNode, graph: GraphBuilder) -> None:
    """Not of this module: a float operator of the tensors may do it."""


RULES = (
    Rule(
        "Add",
        f"{WITH_A_CONSTANT}, or of two tensors of one shape",
        _binary(lambda first, second: first + second, _shifted, _shifted, _sum(1.0)),
    ),
    Rule(
        "Sub",
        f"{WITH_A_CONSTANT}, or of two tensors of one shape",
        _binary(lambda first, second: first - second, _shifted_down, _subtracted, _sum(-1.0)),
    ),
    Rule(
        "Mul",
        WITH_A_CONSTANT,
        _binary(lambda first, second: first * second, _scaled, _scaled, _none),
    ),
    Rule(
        "Div",
        f"{WITH_A_CONSTANT}, or of functions of one tensor",
        _binary(lambda first, second: first / second, _divided, _reciprocal, _none),
    ),
    Rule("Sum", "of computed tensors of one shape", _sum()),
)
