"""Functions of each element of one tensor, whose parameters are attributes."""

import math
from collections.abc import Callable

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES, NUMBER_TYPES, SIGNED_TYPES
from deepprove_dist.importing.rewriting.wrapping import in_type
from deepprove_dist.operators.pointwise import IDENTITY, SQUARE_ROOT, Function, call, erf, sigmoid, softplus

X = IDENTITY
SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def _relu(x: Function) -> Function:
    """max(x, 0)."""
    return call(np.maximum, x, 0)


def leaky_relu(alpha: float) -> Function:
    """x where it is positive, else alpha * x."""
    return _relu(X) + call(np.minimum, X, 0) * alpha


def _hard_sigmoid(x: Function, alpha: float, beta: float) -> Function:
    return call(np.minimum, _relu(x * alpha + beta), 1)


def _elu(alpha: float) -> Function:
    return _relu(X) + call(np.expm1, call(np.minimum, X, 0)) * alpha


def _celu(alpha: float) -> Function:
    return _relu(X) + call(np.expm1, call(np.minimum, X, 0) / alpha) * alpha


def _gelu(approximate: bytes) -> Function:
    if approximate == b"tanh":
        inner = (X + X**3 * 0.044715) * math.sqrt(2 / math.pi)
        return X * 0.5 * (call(np.tanh, inner) + 1)
    return X * 0.5 * (call(erf, X / math.sqrt(2)) + 1)


def _rule(
    operator: str,
    make: Callable[..., Function],
    since: int = 7,
    types: tuple[int, ...] = FLOAT_TYPES,
    **defaults: float | bytes,
) -> Rule:
    """The rule of an operator whose function ``make`` gives from its attributes, which have defaults.

    Integers wrap, as the smallest one does whose size its type does not have.
    """

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        for name, value in node.attributes.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UnsupportedNodeError(f"its attribute '{name}' is {value}", "finite attributes")
        function = in_type(make(**{**defaults, **node.attributes}), graph.type(node.output))
        return apply(graph, graph.tensor(node.input(0)), function)

    what = "of a float tensor" if types == FLOAT_TYPES else "of a tensor of numbers"
    return Rule(operator, what, rewrite, frozenset(defaults), types, since)


RULES = (
    _rule("Abs", lambda: call(np.absolute, X), types=NUMBER_TYPES),
    _rule("Celu", _celu, since=12, alpha=1.0),
    _rule("Elu", _elu, alpha=1.0),
    _rule("Erf", lambda: call(erf, X), since=9),
    _rule("Exp", lambda: call(np.exp, X)),
    _rule("Gelu", _gelu, since=20, approximate=b"none"),
    _rule("HardSigmoid", lambda alpha, beta: _hard_sigmoid(X, alpha, beta), alpha=0.2, beta=0.5),
    _rule("HardSwish", lambda: X * _hard_sigmoid(X, 1 / 6, 0.5), since=14),
    _rule("LeakyRelu", leaky_relu, alpha=0.01),
    _rule("Log", lambda: call(np.log, X)),
    _rule("Mish", lambda: X * call(np.tanh, call(softplus, X)), since=18),
    _rule("Reciprocal", lambda: call(np.divide, 1, X)),
    _rule("Relu", lambda: _relu(X), types=SIGNED_TYPES),
    _rule("Selu", lambda alpha, gamma: _elu(alpha) * gamma, alpha=SELU_ALPHA, gamma=SELU_GAMMA),
    _rule("Sigmoid", lambda: call(sigmoid, X)),
    _rule("Softplus", lambda: call(softplus, X)),
    _rule("Softsign", lambda: X / (call(np.absolute, X) + 1)),
    _rule("Sqrt", lambda: SQUARE_ROOT),
    _rule("Swish", lambda alpha: X * call(sigmoid, X * alpha), since=24, alpha=1.0),
    _rule("Tanh", lambda: call(np.tanh, X)),
)
