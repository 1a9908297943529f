"""Add, Sub, Mul, Div, Sum and Mean, all broadcast. Constants scale and shift, functions of one tensor
fuse, sums stay sums.
"""

from collections.abc import Callable

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.broadcasting import broadcast_all, broadcast_shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.by_value import apply_by_value
from deepprove_dist.importing.rewriting.constants import constant_tensor
from deepprove_dist.importing.rewriting.functions import apply, combine
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.standard import INTEGER_TYPES, NUMBER_TYPES
from deepprove_dist.importing.rewriting.wrapping import in_type_after
from deepprove_dist.operators.pair_table import FloatPairTable
from deepprove_dist.operators.pointwise import IDENTITY, Function, RealArray, call

ONE, ZERO = np.array(1.0), np.array(0.0)
WITH_A_CONSTANT = "of a computed tensor and a constant"

WithConstant = Callable[[GraphBuilder, str, FloatArray], str]
"""What a computed tensor and a constant make, where the rule knows which of them comes first."""

OfComputed = Callable[[OnnxNode, GraphBuilder], str | None]


def _binary(
    operation: Callable[[Function, Function], Function],
    constant_second: WithConstant,
    constant_first: WithConstant,
    both_computed: OfComputed,
    *,
    negative: bool = False,
) -> Rewrite:
    """The rewriting of an operator on two tensors, one of which may be constant.

    ``negative``: whether its results may be below 0 where no operand is.
    """

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        result = of_any(node, graph)
        function = in_type_after(graph.type(node.output), negative=negative)
        return result if result is None or function is None else apply(graph, result, function)

    def of_any(node: OnnxNode, graph: GraphBuilder) -> str | None:
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
    if constant.size == 1 and constant.ndim <= len(graph.shape(tensor)):
        return apply(graph, tensor, call(np.divide, constant.item(), IDENTITY))
    return scale_and_shift(graph, apply(graph, tensor, call(np.divide, 1, IDENTITY)), constant, ZERO)


def _difference(node: OnnxNode, graph: GraphBuilder) -> str:
    return weighted_sum(graph, [graph.tensor(name) for name in node.inputs], (1.0, -1.0), ZERO)


def _sum(node: OnnxNode, graph: GraphBuilder) -> str:
    return _added(node, graph, 1.0)


def _mean(node: OnnxNode, graph: GraphBuilder) -> str:
    return _added(node, graph, 1 / len(node.inputs))


def _added(node: OnnxNode, graph: GraphBuilder, factor: float) -> str:
    """The sum of all inputs, times a factor."""
    constants = [graph.numbers(name, "an operand") for name in node.inputs if graph.is_constant(name)]
    broadcast_shape(map(graph.shape, node.inputs))
    tensors = [graph.tensor(name) for name in node.inputs if not graph.is_constant(name)]
    total = factor * np.asarray(sum(constants, start=ZERO))
    return weighted_sum(graph, tensors, (factor,) * len(tensors), total)


def _none(node: OnnxNode, graph: GraphBuilder) -> None:
    """Not of this module: a float operator of the tensors may do it."""


_REAL_QUOTIENT = _binary(lambda first, second: first / second, _divided, _reciprocal, _none)


def _quotient(node: OnnxNode, graph: GraphBuilder) -> str | tuple[str, ...] | None:
    """Of integers it is cut off towards zero."""
    if graph.type(node.output) not in INTEGER_TYPES:
        return _REAL_QUOTIENT(node, graph)
    if not graph.is_constant(node.input(1)):
        return _pairs(node, graph)
    divisors = graph.numbers(node.input(1), "the divisor")
    if not divisors.all():
        raise UnsupportedNodeError("it divides by zero")
    tensor = graph.tensor(node.input(0))
    result = apply_by_value(graph, tensor, divisors, lambda divisor: call(np.trunc, IDENTITY / divisor))
    return _pairs(node, graph) if result is None else result


def cut_quotient(x: RealArray, y: RealArray) -> RealArray:
    """x / y cut off towards zero."""
    values: RealArray = np.trunc(np.divide(x, y))
    return values


def _pairs(node: OnnxNode, graph: GraphBuilder) -> str:
    """Each pair of a table, where neither is constant or the divisors are many."""
    computed = next(graph.tensor(name) for name in node.inputs if not graph.is_constant(name))
    tensors = [
        constant_tensor(graph, graph.numbers(name, "an operand"), computed)
        if graph.is_constant(name)
        else graph.tensor(name)
        for name in node.inputs
    ]
    first, second = broadcast_all(graph, tensors)
    return graph.add(FloatPairTable, (first, second), cut_quotient)


RULES = (
    Rule(
        "Add",
        f"{WITH_A_CONSTANT}, or of two computed tensors",
        _binary(lambda first, second: first + second, _shifted, _shifted, _sum),
        types=NUMBER_TYPES,
    ),
    Rule(
        "Sub",
        f"{WITH_A_CONSTANT}, or of two computed tensors",
        _binary(lambda first, second: first - second, _shifted_down, _subtracted, _difference, negative=True),
        types=NUMBER_TYPES,
    ),
    Rule(
        "Mul",
        WITH_A_CONSTANT,
        _binary(lambda first, second: first * second, _scaled, _scaled, _none),
        types=NUMBER_TYPES,
    ),
    Rule(
        "Div",
        f"{WITH_A_CONSTANT}, or of functions of one tensor",
        _quotient,
        types=NUMBER_TYPES,
    ),
    Rule("Mean", "of computed tensors and constants", _mean),
    Rule("Sum", "of computed tensors and constants", _sum),
)
