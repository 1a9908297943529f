"""Add, Sub, Mul and Div: constants scale and shift, functions of one tensor fuse, other sums stay sums."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from deepprove_dist.importing.affine import Values, scale_and_shift
from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.fusion import apply, combine
from deepprove_dist.importing.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.operators.pointwise import IDENTITY, Function, affine, call
from deepprove_dist.operators.requantise import FloatActivation
from deepprove_dist.operators.weighted_sum import FloatSum

ONE, ZERO = np.array(1.0), np.array(0.0)

OPERATIONS: Mapping[str, Callable[[Function, Function], Function]] = MappingProxyType(
    {
        "Add": lambda left, right: left + right,
        "Sub": lambda left, right: left - right,
        "Mul": lambda left, right: left * right,
        "Div": lambda left, right: left / right,
    }
)


def _binary(node: OnnxNode, graph: GraphBuilder) -> None:
    left, right = node.input(0), node.input(1)
    if graph.is_constant(right):
        scale_and_shift(node, graph, left, *_behind(node, graph.numbers(right, "the right operand")))
    elif graph.is_constant(left):
        _constant_first(node, graph, graph.numbers(left, "the left operand"))
    elif combine(node, graph, left, right, OPERATIONS[node.operator]):
        pass
    elif node.operator in ("Add", "Sub"):
        _sum(node, graph, (left, right), (1.0, 1.0 if node.operator == "Add" else -1.0))
    else:
        raise UnsupportedNodeError(
            f"both operands ('{left}', '{right}') are computed, and are not functions of one tensor",
            advice=CUT,
        )


def _behind(node: OnnxNode, constant: Values) -> tuple[Values, Values]:
    """Scale and shift of the tensor before the constant."""
    match node.operator:
        case "Add":
            return ONE, constant
        case "Sub":
            return ONE, -constant
        case "Mul":
            return constant, ZERO
        case _:
            if not constant.all():
                raise UnsupportedNodeError("it divides by zero")
            return 1 / constant, ZERO


def _constant_first(node: OnnxNode, graph: GraphBuilder, constant: Values) -> None:
    tensor = node.input(1)
    if node.operator == "Div":
        if constant.size > 1 or graph.shape(tensor) != graph.shape(node.outputs[0]):
            raise UnsupportedNodeError("it divides a constant of several values by a computed tensor")
        apply(node, graph, tensor, call("divide", constant.item(), IDENTITY))
    elif node.operator == "Sub":
        scale_and_shift(node, graph, tensor, -ONE, constant)
    else:
        scale_and_shift(node, graph, tensor, *_behind(node, constant))


def _variadic(node: OnnxNode, graph: GraphBuilder) -> None:
    _sum(node, graph, node.inputs, (1.0,) * len(node.inputs))


def _sum(node: OnnxNode, graph: GraphBuilder, names: tuple[str, ...], signs: tuple[float, ...]) -> None:
    shapes = {graph.shape(name) for name in (*names, node.outputs[0]) if not graph.is_constant(name)}
    if len(shapes) != 1:
        raise UnsupportedNodeError(
            f"it broadcasts computed tensors of the shapes {sorted(shapes)}", advice=CUT
        )
    tensors, coefficients, constant = [], [], 0.0
    for name, sign in zip(names, signs, strict=True):
        tensor, line = graph.tensor(name), (1.0, 0.0)
        producer = graph.producer(tensor)
        if isinstance(producer, FloatActivation) and graph.readers(tensor) == 1:
            scaled = affine(producer.function)
            if scaled is not None:
                tensor, line = producer.input, scaled
        tensors.append(tensor)
        coefficients.append(sign * line[0])
        constant += sign * line[1]
    graph.add(FloatSum(node.name, tuple(tensors), node.outputs[0], tuple(coefficients), constant))


RULES = (
    *(
        Rule(
            operator,
            frozenset(),
            f"{operator} of a computed tensor and a constant (a number, or one for each channel), or of two "
            + ("tensors of one shape" if operator in ("Add", "Sub") else "functions of one tensor"),
            _binary,
        )
        for operator in OPERATIONS
    ),
    Rule("Sum", frozenset(), "Sum of computed tensors of one shape", _variadic),
)
