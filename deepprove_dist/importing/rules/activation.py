"""Elementwise functions of one tensor; with constants as their further inputs and attributes."""

import math
from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.fusion import apply
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.operators.pointwise import IDENTITY, Function, call, operand

X = IDENTITY
SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def _relu(x: Function) -> Function:
    return call("maximum", x, 0)


def _hard_sigmoid(x: Function, alpha: float, beta: float) -> Function:
    return call("minimum", _relu(x * alpha + beta), 1)


def _elu(alpha: float) -> Function:
    return _relu(X) + call("expm1", call("minimum", X, 0)) * alpha


def _leaky_relu(slope: float) -> Function:
    return _relu(X) + call("minimum", X, 0) * slope


def _gelu(approximate: bytes = b"none") -> Function:
    if approximate == b"tanh":
        inner = (X + X**3 * 0.044715) * math.sqrt(2 / math.pi)
        return X * 0.5 * (call("tanh", inner) + 1)
    return X * 0.5 * (call("erf", X / math.sqrt(2)) + 1)


FUNCTIONS: Mapping[str, tuple[frozenset[str], Callable[..., Function]]] = MappingProxyType(
    {
        "Abs": (frozenset(), lambda: call("absolute", X)),
        "Celu": (
            frozenset({"alpha"}),
            lambda alpha=1.0: _relu(X) + call("expm1", call("minimum", X, 0) / alpha) * alpha,
        ),
        "Elu": (frozenset({"alpha"}), lambda alpha=1.0: _elu(alpha)),
        "Erf": (frozenset(), lambda: call("erf", X)),
        "Exp": (frozenset(), lambda: call("exp", X)),
        "Gelu": (frozenset({"approximate"}), _gelu),
        "HardSigmoid": (
            frozenset({"alpha", "beta"}),
            lambda alpha=0.2, beta=0.5: _hard_sigmoid(X, alpha, beta),
        ),
        "HardSwish": (frozenset(), lambda: X * _hard_sigmoid(X, 1 / 6, 0.5)),
        "LeakyRelu": (
            frozenset({"alpha"}),
            lambda alpha=0.01: _leaky_relu(alpha),
        ),
        "Log": (frozenset(), lambda: call("log", X)),
        "Mish": (frozenset(), lambda: X * call("tanh", call("softplus", X))),
        "Neg": (frozenset(), lambda: X * -1),
        "Reciprocal": (frozenset(), lambda: call("divide", 1, X)),
        "Relu": (frozenset(), lambda: _relu(X)),
        "Selu": (
            frozenset({"alpha", "gamma"}),
            lambda alpha=SELU_ALPHA, gamma=SELU_GAMMA: _elu(alpha) * gamma,
        ),
        "Sigmoid": (frozenset(), lambda: call("sigmoid", X)),
        "Softplus": (frozenset(), lambda: call("softplus", X)),
        "Softsign": (frozenset(), lambda: X / (call("absolute", X) + 1)),
        "Sqrt": (frozenset(), lambda: call("sqrt", X)),
        "Swish": (frozenset({"alpha"}), lambda alpha=1.0: X * call("sigmoid", X * alpha)),
        "Tanh": (frozenset(), lambda: call("tanh", X)),
    }
)
"""For each operator its attributes and the function that they make."""


def _unary(node: OnnxNode, graph: GraphBuilder) -> None:
    _, make = FUNCTIONS[node.operator]
    for name, value in node.attributes.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UnsupportedNodeError(f"its attribute '{name}' is {value}", "finite attributes")
    apply(node, graph, node.input(0), make(**node.attributes))


def _clip(node: OnnxNode, graph: GraphBuilder) -> None:
    function: Function = X
    for index, primitive in ((1, "maximum"), (2, "minimum")):
        if node.input(index):
            function = call(primitive, function, _number(graph, node.input(index)))
    apply(node, graph, node.input(0), function)


def _prelu(node: OnnxNode, graph: GraphBuilder) -> None:
    apply(node, graph, node.input(0), _leaky_relu(_number(graph, node.input(1))))


def _with_numbers(primitive: str) -> Callable[[OnnxNode, GraphBuilder], None]:
    """A rule for one tensor and numbers, in any order."""

    def rule(node: OnnxNode, graph: GraphBuilder) -> None:
        computed = [name for name in node.inputs if not graph.is_constant(name)]
        if len(computed) != 1:
            raise UnsupportedNodeError(f"its operands {computed} are computed; only one may be")
        (tensor,) = computed
        terms = [X if name == tensor else operand(_number(graph, name)) for name in node.inputs]
        apply(node, graph, tensor, reduce(lambda first, second: call(primitive, first, second), terms))
        shape, output = graph.shape(tensor), graph.shape(node.outputs[0])
        if shape != output:
            raise UnsupportedNodeError(f"it broadcasts {shape} to {output}")

    return rule


def _number(graph: GraphBuilder, name: str) -> float:
    """The one number of a constant; infinite ones bound nothing."""
    value = graph.numbers(name, "an operand", infinite=True)
    if value.size != 1:
        raise UnsupportedNodeError(f"the constant '{name}' is of shape {value.shape}, not one number")
    return float(value.item())


RULES = (
    *(
        Rule(operator, attributes, f"{operator} of a float tensor", _unary)
        for operator, (attributes, _) in FUNCTIONS.items()
    ),
    Rule("Clip", frozenset(), "Clip of a float tensor with constant bounds", _clip),
    Rule("Max", frozenset(), "Max of a computed tensor and numbers", _with_numbers("maximum")),
    Rule("Min", frozenset(), "Min of a computed tensor and numbers", _with_numbers("minimum")),
    Rule(
        "Pow",
        frozenset(),
        "Pow of a computed tensor and a number, either of them the exponent",
        _with_numbers("power"),
    ),
    Rule("PRelu", frozenset(), "PRelu with one slope for all channels", _prelu),
)
