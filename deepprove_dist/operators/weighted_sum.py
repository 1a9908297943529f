"""Weighted sum: acc = sum_j multipliers[j] * x_j + constant, the accumulator of an addition.

It brings tensors of different scales together, each with a multiplier. An input may itself be an accumulator:
so several layers and a residual connection add up before they are rescaled, once. An input may also be a
constant of the model, which is repeated along axes that it does not vary along.
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
from deepprove_dist.kernels import weighted_sum
from deepprove_dist.lowering.broadcast import repeated_weight
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.views import Reader, dimensions
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.broadcast import broadcasts
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
    """output = sum_j coefficients[j] * inputs[j] + constant; the inputs have one shape.

    The constant is a number, or an array that broadcasts to that shape.
    """

    coefficients: tuple[float, ...]
    constant: FloatArray
    adds_summands: ClassVar[bool] = True

    @property
    def is_finite(self) -> bool:
        """Whether coefficients and constant are."""
        return bool(np.isfinite(self.coefficients).all() and np.isfinite(self.constant).all())

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Multiply and add."""
        terms = [c * x for c, x in zip(self.coefficients, inputs, strict=True)]
        result: FloatArray = np.add.reduce(terms) + self.constant
        return result

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def weighs_channels(self, axis: int, rank: int) -> bool:
        """Along the last axis."""
        return axis == rank - 1

    def scaled(self, scale: FloatArray, shift: FloatArray, shape: Shape) -> FloatSum | None:
        """All coefficients times a scale that is one number."""
        if scale.size != 1:
            return None
        factor = scale.item()
        coefficients = tuple(factor * coefficient for coefficient in self.coefficients)
        return replace(self, coefficients=coefficients, constant=factor * self.constant + shift)

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
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
                constant = constant + further
        return summands, constant


class WeightedSum(IntegerOperator):
    """Attributes: ``multipliers``, one for each input, and ``constant``.

    Computed inputs have the output's shape. After them come constants, which broadcast to it.
    """

    name: ClassVar[str] = Multiple.kind
    inputs: ClassVar[Sequence[int]] = range(1, MAX_INPUTS + 1)
    attributes: ClassVar[Mapping[str, type]] = {"multipliers": tuple, "constant": int}
    reads_narrow_values: ClassVar[bool] = True

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """That of the first input, to which the others broadcast."""
        if len(integers(node, "multipliers")) != len(shapes):
            raise ModelError(f"'{node.name}': the inputs {shapes} have a multiplier each")
        if not all(broadcasts(shape, shapes[0]) for shape in shapes):
            raise ModelError(f"'{node.name}': the inputs {shapes} do not have one shape")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Each input at the end that its multiplier's sign asks for; exact below 2^52."""
        are_constant = [name in constants for name in node.inputs]
        if are_constant[0] or sorted(are_constant) != are_constant:
            raise ModelError(f"'{node.name}': computed inputs of a sum come before constants")
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
        shape, pairs = inputs[0].shape, list(zip(integers(node, "multipliers"), inputs, strict=True))
        whole = [(by, np.ascontiguousarray(x).reshape(-1)) for by, x in pairs if x.shape == shape]
        total: IntArray = weighted_sum(whole, integer(node, "constant")).reshape(shape)
        for multiplier, values in pairs:
            # Constants are repeated along axes that they do not vary along.
            if values.shape != shape:
                total += multiplier * values
        return Inference(total, {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The sum of the expressions; products keep their multiplier, constants are terms of weights."""
        shape, count = inputs[0].shape, len(inputs)
        if any(value.shape != shape for value in inputs):
            raise ModelError(f"'{node.name}': the computed inputs of a sum have one shape")
        reader, values = Reader(node.name, analysis.intervals, builder), inputs
        constants = node.inputs[count:]
        if any(analysis.shapes[name] != shape for name in constants):
            # To have axes that a constant follows some of.
            values = [
                reader.aligned(name, value, shape) for name, value in zip(node.inputs, inputs, strict=False)
            ]
        if len({value.space for value in values}) != 1:
            # Tensors of one shape may differ in axes of size 1.
            values = [_with_all_axes(value) for value in values]
        if len({value.space for value in values}) != 1:
            values = reader.together(list(zip(node.inputs, values, strict=False)))
        multipliers = integers(node, "multipliers")
        pairs = list(zip(multipliers, values, strict=False))
        terms = [scaled(value.value, factor) for factor, value in pairs]
        ends = [sorted(factor * end for end in value.weight_bounds) for factor, value in pairs]
        for factor, name in zip(multipliers[count:], constants, strict=True):
            terms.append(scaled(repeated_weight(name, analysis.shapes[name], values[0], builder), factor))
            ends.append(sorted(factor * end for end in analysis.intervals[name]))
        total = added(*terms)
        if constant := integer(node, "constant"):
            total = canonical.replace(total, constants=(*total.constants, Constant(constant)))
        products = tuple(
            canonical.replace(product, coefficient=factor * product.coefficient)
            for factor, value in pairs
            for product in value.products
        )
        weight_bounds = sum(low for low, _ in ends), sum(high for _, high in ends)
        return Expression(shape, total, products, weight_bounds)


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
