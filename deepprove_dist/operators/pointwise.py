"""Functions of one real number, as expressions: what a chain of elementwise nodes computes from one tensor.

Exporters write an activation as one node or as ten; as an expression of its argument it becomes one table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RealArray = npt.NDArray[np.floating[Any]]

Primitive = Callable[..., RealArray]
"""A function of float64 arrays of one shape, such as ``np.tanh``. Where it has no value, it gives NaN."""


class Function:
    """An expression in one variable, compared by its form. Numbers stand for constants."""

    def __add__(self, other: Operand) -> Function:
        return Apply(np.add, (self, operand(other)))

    def __sub__(self, other: Operand) -> Function:
        return Apply(np.subtract, (self, operand(other)))

    def __mul__(self, other: Operand) -> Function:
        return Apply(np.multiply, (self, operand(other)))

    def __truediv__(self, other: Operand) -> Function:
        return Apply(np.divide, (self, operand(other)))

    def __pow__(self, other: Operand) -> Function:
        return Apply(np.power, (self, operand(other)))


@dataclass(frozen=True)
class Variable(Function):
    """The argument."""


@dataclass(frozen=True)
class Number(Function):
    """The same value everywhere."""

    value: float


@dataclass(frozen=True)
class Apply(Function):
    """A primitive applied to further expressions; primitives are the same where they are the same object."""

    primitive: Primitive
    arguments: tuple[Function, ...]


Operand = Function | float

IDENTITY = Variable()
SQUARE_ROOT = Apply(np.sqrt, (IDENTITY,))

_erf = np.vectorize(math.erf, otypes=[np.float64])


def erf(x: RealArray) -> RealArray:
    """The error function."""
    values: RealArray = _erf(x)
    return values


def sigmoid(x: RealArray) -> RealArray:
    """1 / (1 + exp(-x)), as exp(-log(1 + exp(-x))), which does not overflow."""
    values: RealArray = np.exp(-np.logaddexp(0.0, -x))
    return values


def softplus(x: RealArray) -> RealArray:
    """log(1 + exp(x))."""
    values: RealArray = np.logaddexp(0.0, x)
    return values


def operand(value: Operand) -> Function:
    """The expression itself, or a constant."""
    return value if isinstance(value, Function) else Number(float(value))


def call(primitive: Primitive, *arguments: Operand) -> Function:
    """A primitive applied to expressions or numbers."""
    return Apply(primitive, tuple(operand(argument) for argument in arguments))


def without_sign(x: RealArray) -> RealArray:
    """x itself, of a type without negative numbers: nothing stands for one, which would wrap."""
    values: RealArray = np.where(x < 0, np.nan, x)
    return values


def uses(function: Function, primitive: Primitive) -> bool:
    """Whether a primitive is in an expression."""
    if not isinstance(function, Apply):
        return False
    inner = (uses(argument, primitive) for argument in function.arguments)
    return function.primitive is primitive or any(inner)


LARGEST = 128
"""How many primitives an expression may apply to take up another one, and that one as many."""


def joinable(*functions: Function) -> bool:
    """Whether expressions are small enough to become one. Each of them is of a bounded size so."""
    return sum(map(_size, functions)) <= LARGEST


def _size(function: Function) -> int:
    return 1 + sum(map(_size, function.arguments)) if isinstance(function, Apply) else 0


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
    primitive: Primitive, left: tuple[float, float], right: tuple[float, float]
) -> tuple[float, float] | None:
    (a, b), (c, d) = left, right
    match primitive:
        case np.add:
            return a + c, b + d
        case np.subtract:
            return a - c, b - d
        case np.multiply if c == 0:
            return a * d, b * d
        case np.multiply if a == 0:
            return b * c, b * d
        case np.divide if c == 0 and d != 0:
            return a / d, b / d
        case _:
            return None


def _evaluate(function: Function, values: RealArray) -> RealArray:
    match function:
        case Number(value):
            return np.asarray(value)
        case Apply(primitive, arguments):
            return primitive(*(_evaluate(argument, values) for argument in arguments))
        case _:
            return values
