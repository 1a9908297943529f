"""Functions of one real number, as expressions: what a chain of elementwise nodes computes from one tensor.

Exporters write an activation as one node or as ten; as an expression of its argument it becomes one table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

RealArray = npt.NDArray[np.floating[Any]]


class Function:
    """An expression in one variable, compared by its form. Numbers stand for constants."""

    def __add__(self, other: Operand) -> Function:
        return Apply("add", (self, operand(other)))

    def __sub__(self, other: Operand) -> Function:
        return Apply("subtract", (self, operand(other)))

    def __mul__(self, other: Operand) -> Function:
        return Apply("multiply", (self, operand(other)))

    def __truediv__(self, other: Operand) -> Function:
        return Apply("divide", (self, operand(other)))

    def __pow__(self, other: Operand) -> Function:
        return Apply("power", (self, operand(other)))


@dataclass(frozen=True)
class Variable(Function):
    """The argument."""


@dataclass(frozen=True)
class Number(Function):
    """The same value everywhere."""

    value: float


@dataclass(frozen=True)
class Apply(Function):
    """A primitive of `PRIMITIVES` applied to further expressions."""

    primitive: str
    arguments: tuple[Function, ...]


Operand = Function | float

IDENTITY = Variable()

PRIMITIVES: Mapping[str, Callable[..., RealArray]] = MappingProxyType(
    {
        "absolute": np.abs,
        "add": np.add,
        "divide": np.divide,
        "erf": np.vectorize(math.erf, otypes=[np.float64]),
        "exp": np.exp,
        "expm1": np.expm1,
        "log": np.log,
        "maximum": np.maximum,
        "minimum": np.minimum,
        "multiply": np.multiply,
        "power": np.power,
        # exp(-log(1 + exp(-x))), which does not overflow.
        "sigmoid": lambda x: np.exp(-np.logaddexp(0.0, -x)),
        "softplus": lambda x: np.logaddexp(0.0, x),
        "sqrt": np.sqrt,
        "subtract": np.subtract,
        "tanh": np.tanh,
    }
)


def operand(value: Operand) -> Function:
    """The expression itself, or a constant."""
    return value if isinstance(value, Function) else Number(float(value))


def call(primitive: str, *arguments: Operand) -> Function:
    """A primitive applied to expressions or numbers."""
    return Apply(primitive, tuple(operand(argument) for argument in arguments))


def evaluate(function: Function, values: RealArray) -> RealArray:
    """The function at each value; where it is not defined, NaN or infinity without a warning."""
    with np.errstate(all="ignore"):
        result = _evaluate(function, np.asarray(values, dtype=np.float64))
    return np.broadcast_to(result, np.shape(values))


def compose(outer: Function, inner: Function) -> Function:
    """x -> outer(inner(x))."""
    if isinstance(outer, Apply):
        return Apply(outer.primitive, tuple(compose(argument, inner) for argument in outer.arguments))
    return inner if isinstance(outer, Variable) else outer


def affine(function: Function) -> tuple[float, float] | None:
    """(c, d) with function(x) = c x + d, read off the expression; None for any other one."""
    match function:
        case Variable():
            return 1.0, 0.0
        case Number(value):
            return 0.0, value
        case Apply(primitive, (left, right)):
            a, b = affine(left), affine(right)
            return None if a is None or b is None else _combine(primitive, a, b)
        case _:
            return None


def _combine(
    primitive: str, left: tuple[float, float], right: tuple[float, float]
) -> tuple[float, float] | None:
    (a, b), (c, d) = left, right
    match primitive:
        case "add":
            return a + c, b + d
        case "subtract":
            return a - c, b - d
        case "multiply" if c == 0:
            return a * d, b * d
        case "multiply" if a == 0:
            return b * c, b * d
        case "divide" if c == 0 and d != 0:
            return a / d, b / d
        case _:
            return None


def _evaluate(function: Function, values: RealArray) -> RealArray:
    match function:
        case Number(value):
            return np.asarray(value)
        case Apply(primitive, arguments):
            return PRIMITIVES[primitive](*(_evaluate(argument, values) for argument in arguments))
        case _:
            return values
