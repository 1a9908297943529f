"""Weighted sum: acc = sum_j multipliers[j] * x_j + constant, the accumulator of an addition.

It brings tensors of different scales together, each with a multiplier. An input may itself be an accumulator:
so several layers and a residual connection add up before they are rescaled, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist import canonical
from deepprove_dist.arrays import FloatArray, IntArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.views import Reader, dimensions
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.multiple import Multiple, multiple
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.summand import Summand
from deepprove_dist.protocol.system.system import Constant
from deepprove_dist.protocol.system.table import Interval

MAX_INPUTS = 256


@dataclass(frozen=True)
class FloatSum(LinearOperator):
    """output = sum_j coefficients[j] * inputs[j] + constant, all of one shape."""

    coefficients: tuple[float, ...]
    constant: float
    adds_summands: ClassVar[bool] = True

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Multiply and add."""
        terms = [c * x for c, x in zip(self.coefficients, inputs, strict=True)]
        result: FloatArray = np.add.reduce(terms) + self.constant
        return result

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def scaled(self, scale: float, shift: float) -> FloatSum:
        """All coefficients times the scale."""
        coefficients = tuple(scale * coefficient for coefficient in self.coefficients)
        return replace(self, coefficients=coefficients, constant=scale * self.constant + shift)

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], float]:
        """Tensors with their coefficients. Of an input that nothing else reads, its summands."""
        summands: list[Summand] = []
        constant = factor * self.constant
        for name, coefficient in zip(self.inputs, self.coefficients, strict=True):
            node = planner.readers.summands.get(name)
            if node is None:
                source, shape = planner.planned(name, HIDDEN), planner.shape(name)
                summands.append(multiple(source, name, factor * coefficient, self.name, shape))
            else:
                inner, further = node.summands(factor * coefficient, planner)
                summands += inner
                constant += further
        return summands, constant


class WeightedSum(IntegerOperator):
    """Attributes: ``multipliers``, one for each input, and ``constant``."""

    name: ClassVar[str] = Multiple.kind
    inputs: ClassVar[Sequence[int]] = range(1, MAX_INPUTS + 1)
    attributes: ClassVar[Mapping[str, type]] = {"multipliers": tuple, "constant": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """That of all inputs."""
        if len(integers(node, "multipliers")) != len(shapes) or len(set(shapes)) != 1:
            raise ModelError(f"'{node.name}': the inputs {shapes} have one shape, and a multiplier each")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Each input at the end that its multiplier's sign asks for; exact below 2^52."""
        constant = integer(node, "constant")
        low, high, magnitude = constant, constant, abs(constant)
        for multiplier, (lo, hi) in zip(integers(node, "multipliers"), intervals, strict=True):
            low += min(multiplier * lo, multiplier * hi)
            high += max(multiplier * lo, multiplier * hi)
            magnitude += abs(multiplier) * max(abs(lo), abs(hi))
        if magnitude >= LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': sums must stay below 2^52")
        return low, high

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Multiply and add; no further columns."""
        total: IntArray = np.full_like(inputs[0], integer(node, "constant"))
        for multiplier, values in zip(integers(node, "multipliers"), inputs, strict=True):
            total += multiplier * values
        return Inference(total, {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The sum of the expressions; products keep their multiplier."""
        values = inputs
        if len({value.space for value in values}) != 1:
            # Tensors of one shape may differ in axes of size 1.
            values = [_with_all_axes(value) for value in inputs]
        if len({value.space for value in values}) != 1:
            reader = Reader(node.name, analysis.intervals, builder)
            values = reader.together(list(zip(node.inputs, inputs, strict=True)))
        pairs = list(zip(integers(node, "multipliers"), values, strict=True))
        total = added(*(scaled(value.value, factor) for factor, value in pairs))
        if constant := integer(node, "constant"):
            total = canonical.replace(total, constants=(*total.constants, Constant(constant)))
        products = tuple(
            canonical.replace(product, coefficient=factor * product.coefficient)
            for factor, value in pairs
            for product in value.products
        )
        ends = [sorted(factor * end for end in value.weight_bounds) for factor, value in pairs]
        weight_bounds = sum(low for low, _ in ends), sum(high for _, high in ends)
        return Expression(inputs[0].shape, total, products, weight_bounds)


def weighted_sum_node(
    name: str, sources: tuple[str, ...], output: str, multipliers: tuple[int, ...], constant: int
) -> Node:
    """The node that adds multiples of tensors and a constant."""
    return Node(WeightedSum.name, name, sources, output, {"multipliers": multipliers, "constant": constant})


def _with_all_axes(value: Expression) -> Expression:
    """The expression with an axis for each dimension but a leading one of size 1, as far as it can be; with
    products, as it is: they follow its axes.
    """
    single = range(value.shape[:1] == (1,), len(value.shape))
    known = None if value.products else dimensions(value, single)
    return value if known is None else replace(value, value=known.value)
