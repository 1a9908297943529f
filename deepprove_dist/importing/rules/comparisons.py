"""Comparisons and logic: functions of one tensor, or of a difference or sum of two.

A truth value is 0 or 1, so that And is a sum above 1.5. Numbers are compared as they are quantised: values
within a step of each other may count as equal.
"""

from collections.abc import Callable

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply, combine
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.standard import TRUTH_TYPES
from deepprove_dist.operators import truth
from deepprove_dist.operators.pointwise import IDENTITY, Function, Primitive, call

ONE, ZERO = np.array(1.0), np.array(0.0)
SUPPORTED = "of computed tensors, or of one and a constant"


def _two_operands(primitive: Primitive, sign: float, of_sum: Callable[[Function], Function]) -> Rewrite:
    """``of_sum`` is the function of first + sign * second that has the values of the primitive."""

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        constants = [graph.is_constant(name) for name in node.inputs]
        if not any(constants):
            return _of_computed(node, graph)
        index = constants.index(True)
        constant = graph.numbers(node.input(index), "an operand", infinite=True)
        tensor = graph.tensor(node.input(1 - index))
        if constant.size == 1 and constant.ndim <= len(graph.shape(tensor)):
            return apply(graph, tensor, _with_number(constant.item(), index))
        return apply(graph, _with_constants(graph, tensor, constant, index), of_sum(IDENTITY))

    def _of_computed(node: OnnxNode, graph: GraphBuilder) -> str:
        first, second = (graph.tensor(name) for name in node.inputs)
        combined = combine(graph, first, second, lambda x, y: call(primitive, x, y))
        if combined is not None:
            return combined
        difference = weighted_sum(graph, (first, second), (1.0, sign), ZERO)
        return apply(graph, difference, of_sum(IDENTITY))

    def _with_number(number: float, index: int) -> Function:
        return call(primitive, number, IDENTITY) if index == 0 else call(primitive, IDENTITY, number)

    def _with_constants(graph: GraphBuilder, tensor: str, constant: FloatArray, index: int) -> str:
        """The sum of which ``of_sum`` is taken."""
        if index == 0:
            return scale_and_shift(graph, tensor, ONE * sign, constant)
        return scale_and_shift(graph, tensor, ONE, constant * sign)

    return rewrite


def _comparison(operator: str, primitive: Primitive, since: int = 7) -> Rule:
    rewrite = _two_operands(primitive, -1.0, lambda difference: call(primitive, difference, 0))
    return Rule(operator, SUPPORTED, rewrite, types=TRUTH_TYPES, since=since)


def _logic(operator: str, primitive: Primitive, of_sum: Callable[[Function], Function]) -> Rule:
    return Rule(operator, SUPPORTED, _two_operands(primitive, 1.0, of_sum), types=TRUTH_TYPES)


def _negated(node: OnnxNode, graph: GraphBuilder) -> str:
    return apply(graph, graph.tensor(node.input(0)), call(truth.equal, IDENTITY, 0))


RULES = (
    _comparison("Equal", truth.equal),
    _comparison("Greater", truth.greater),
    _comparison("GreaterOrEqual", truth.greater_or_equal, since=12),
    _comparison("Less", truth.less),
    _comparison("LessOrEqual", truth.less_or_equal, since=12),
    _logic("And", truth.both, lambda x: call(truth.greater, x, 1.5)),
    _logic("Or", truth.either, lambda x: call(truth.greater, x, 0.5)),
    _logic("Xor", truth.one_of_two, lambda x: call(truth.equal, x, 1)),
    Rule("Not", "of a computed tensor", _negated, types=TRUTH_TYPES),
)
