"""Deviations from the mean along the last axis, of N entries, exactly:

    acc_i = multiplier * (N x_i - sum_j x_j).

It is an accumulator: N times a deviation is an integer. A proof commits the sum of each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Reals, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.rows import over_rows, row_sums
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import FINE, Form, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM, require_requantised
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.summand import TYPICAL_ERROR, Names, Part, Summand, integer_of, whole
from deepprove_dist.protocol.system.table import Interval

TOTAL = "total"


@dataclass(frozen=True)
class FloatCentre(LinearOperator):
    """x - mean x over the last axis, of this ``size``."""

    size: int

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Subtract."""
        result: FloatArray = inputs[0] - inputs[0].mean(axis=-1, keepdims=True)
        return result

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Its input in fine steps: deviations may be much smaller than values."""
        return [Need(self.input, FINE, Reference(self.input), decides=True)]

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """One, of the input with one scale."""
        source = planner.planned_by_axis(self.input, None, FINE)
        return [CentredSummand(source, self.input, factor, self)], np.zeros(())


@dataclass(frozen=True)
class CentredSummand(Summand):
    """A number times the deviations from means."""

    coefficient: float
    node: FloatCentre
    kind = "centre"

    def bounds(self) -> tuple[float, float]:
        """One value at an end of the source's range, and all others at the other end."""
        format = self.source.format
        reach = abs(self.coefficient) * format.unit * (format.hi - format.lo)
        return -reach, reach

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """That of the multiplier, at the largest element."""
        off = TYPICAL_ERROR if unit is None else abs(self._multiplier(unit) - self._factor(unit))
        return off * self.node.size * sqrt(self.largest_square(mean_square))

    @property
    def exact_unit(self) -> float:
        """What one unit of the source adds to N times a deviation."""
        return abs(self._factor(1.0))

    def is_exact(self, unit: float) -> bool:
        """Whether the multiplier is an integer."""
        return whole(self._factor(unit))

    def noise(self) -> float:
        """The number times that of the source; the mean's is small."""
        return abs(self.coefficient) * self.source.format.unit / sqrt(12)

    def rounding_bound(self) -> float:
        """A multiplier that is off by a half."""
        return self.node.size * self.largest()

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node with the multiplier."""
        attributes = {"size": self.node.size, "multiplier": self._multiplier(unit)}
        return Part(output, 1, (Node(self.kind, self.node.name, (self.source.name,), output, attributes),))

    def _factor(self, unit: float) -> float:
        return self.coefficient * self.source.format.unit / unit / self.node.size

    def _multiplier(self, unit: float) -> int:
        return integer_of(self._factor(unit))


class Centre(IntegerOperator):
    """Attributes: ``size`` N and ``multiplier``. Column: "total", the sum of each row."""

    name: ClassVar[str] = CentredSummand.kind
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"size": int, "multiplier": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's."""
        if not shapes[0] or shapes[0][-1] != integer(node, "size"):
            raise ModelError(f"'{node.name}': deviations of {integer(node, 'size')} entries of {shapes[0]}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """N x at one end, and the sum at the other, which the relations take for independent."""
        (low, high), size, factor = intervals[0], integer(node, "size"), integer(node, "multiplier")
        reach = abs(factor) * size * (high - low)
        if node.inputs[0] in constants or max(reach, size * max(-low, high)) >= LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': deviations of constants, or beyond 2^52")
        return -reach, reach

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Multiply and subtract; the column is the sum."""
        (x,) = inputs
        total: IntArray = x.sum(axis=-1)
        deviations = integer(node, "size") * x - total[..., None]
        return Inference(integer(node, "multiplier") * deviations, {TOTAL: total})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A linear relation defines the sum; the deviation is an expression."""
        require_requantised(node, inputs[0])
        size, factor, shape = integer(node, "size"), integer(node, "multiplier"), inputs[0].shape
        reader = Reader(node.name, analysis.intervals, builder)
        x = reader.summable(node.inputs[0], inputs[0], len(shape) - 1)
        source = Source(node.output, TOTAL)
        total = row_sums(f"{node.output}.{TOTAL}", x, source, builder)
        value = added(scaled(x, factor * size), scaled(over_rows(total, size), -factor))
        return Expression(shape, value, (), (0, 0))
