"""Pow of tensors, of which either may be constant.

A number makes a function of each element. A constant array has one for each of its values. Of two computed
tensors of floats it is exp(y log x), for x above 0. Two tensors of integers make a table of pairs.
"""

import numpy as np

from deepprove_dist.importing.rewriting.broadcasting import broadcast_all
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.by_value import apply_by_value
from deepprove_dist.importing.rewriting.functions import apply, combine
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import INTEGER_TYPES, SUMMED_TYPES
from deepprove_dist.operators.multiply import FloatMultiply
from deepprove_dist.operators.pair_table import FloatPairTable
from deepprove_dist.operators.pointwise import IDENTITY, Function, Operand, RealArray, call


def whole_power(x: RealArray, y: RealArray) -> RealArray:
    """x^y cut off towards zero, as integers have it."""
    values: RealArray = np.trunc(np.power(x, y))
    return values


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    base, exponent = node.input(0), node.input(1)
    if graph.type(node.output) in INTEGER_TYPES and _is_computed_float(exponent, graph):
        # The smallest error of the exponent would make another integer.
        raise UnsupportedNodeError(
            "its base is of integers, and its exponent a computed float", "integers raised to integers"
        )
    primitive = whole_power if graph.type(node.output) in INTEGER_TYPES else np.power
    for name, other, first in ((exponent, base, False), (base, exponent, True)):
        if graph.is_constant(name):
            constant = graph.numbers(name, "a constant", infinite=True)

            def function(number: Operand, first: bool = first) -> Function:
                return call(primitive, *((number, IDENTITY) if first else (IDENTITY, number)))

            result = apply_by_value(graph, graph.tensor(other), constant, function)
            if result is None:
                raise UnsupportedNodeError("it has a constant of many values", "constants of up to 32 values")
            return result
    return _of_computed(node, graph)


def _is_computed_float(name: str, graph: GraphBuilder) -> bool:
    return not graph.is_constant(name) and graph.type(name) not in INTEGER_TYPES


def _of_computed(node: OnnxNode, graph: GraphBuilder) -> str:
    x, y = (graph.tensor(name) for name in node.inputs)
    primitive = whole_power if graph.type(node.output) in INTEGER_TYPES else np.power
    combined = combine(graph, x, y, lambda base, exponent: call(primitive, base, exponent))
    if combined is not None:
        return combined
    if all(graph.type(name) in INTEGER_TYPES for name in node.inputs):
        x, y = broadcast_all(graph, [x, y])
        return graph.add(FloatPairTable, (x, y), whole_power)
    logarithm, exponent = broadcast_all(graph, [apply(graph, x, call(np.log, IDENTITY)), y])
    return apply(graph, graph.add(FloatMultiply, (logarithm, exponent)), call(np.exp, IDENTITY))


RULES = (
    Rule(
        "Pow",
        "of tensors, either of them constant or of positive floats raised to computed ones",
        _rewrite,
        types=SUMMED_TYPES,
    ),
)
