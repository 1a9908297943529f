"""The product of two computed tensors, element by element, by quarter squares.

With T(v) = floor(v^2 / 4), integers x and y have

    x * y = T(x + y) - T(x - y),

exactly: the two squares leave the same remainder, since x + y and x - y are both even or both odd. A proof
commits T(x + y) and T(x - y), and looks both up in tables of T. The product is an affine value of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.two_tensors import TwoTensorsOperator, read_together
from deepprove_dist.protocol.system.bounds import round_outwards
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table

PLUS, MINUS = "plus", "minus"

LONG_DOMAIN, LONGEST_DOMAIN = 1 << 12, 1 << 16
"""Between these, domains of squares are rounded outwards, so that several products share a table."""


@dataclass(frozen=True)
class FloatMultiply(NodeOperator):
    """output = inputs[0] * inputs[1], of one shape."""

    onnx_operator: ClassVar[str] = "Mul"

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        return inputs[0] * inputs[1]

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact product, which holds an output in full width; for layers it is rescaled."""
        if form != PUBLIC:
            exact = planner.planned_output(self, PUBLIC, Reference(self.output))
            return planner.rescaled(self.name, exact, self.output, form, reference)
        sources = [planner.planned_plain(name, HIDDEN) for name in self.inputs]
        unit = sources[0].format.unit * sources[1].format.unit
        format = Format(Scale.of(unit), *_interval(*(source.format.interval for source in sources)))
        return planner.computed(self, sources, format, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A multiplication."""
        return Node(Multiply.name, self.name, sources, output, {})


class Multiply(TwoTensorsOperator):
    """Columns: "plus" is T(x + y), "minus" is T(x - y)."""

    name: ClassVar[str] = "multiply"

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """That of a difference of any two squares, which is all that the relations say."""
        return _interval(*self.operands(node, intervals, constants))

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One product; the columns are the two squares."""
        x, y = inputs
        return Inference(x * y, {PLUS: _quarter_square(x + y), MINUS: _quarter_square(x - y)})

    def output(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> IntArray:
        """One product."""
        result: IntArray = inputs[0] * inputs[1]
        return result

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A lookup of the sum and its square, and one of the difference and its square."""
        x, y = read_together(node, inputs, analysis, builder)
        intervals = [analysis.intervals[name] for name in node.inputs]
        squares = []
        for column, sign, domain in zip((PLUS, MINUS), (1, -1), _arguments(*intervals), strict=True):
            square = builder.witness(f"{node.output}.{column}", x, Source(node.output, column)).value
            table = Table.from_values(domain[0], _quarter_squares(domain))
            argument = added(x.value, scaled(y.value, sign))
            builder.look_up(table.first, table.size, table, argument, square)
            squares.append(square)
        return Expression(x.shape, added(squares[0], scaled(squares[1], -1)), (), (0, 0))


def _arguments(x: Interval, y: Interval) -> tuple[Interval, Interval]:
    """Intervals that x + y and x - y are in."""
    return _domain(x[0] + y[0], x[1] + y[1]), _domain(x[0] - y[1], x[1] - y[0])


def _domain(low: int, high: int) -> Interval:
    """The interval itself; a long one grows to a rounded end on both sides of 0.

    A table of squares has half as many pieces as entries. So products of many bits share a few tables.
    """
    if not LONG_DOMAIN <= high - low < LONGEST_DOMAIN:
        return low, high
    side = round_outwards(max(-low, high))
    return -side, side


def _interval(x: Interval, y: Interval) -> Interval:
    """That of T(x + y) - T(x - y) for two squares that are independent."""
    plus, minus = (_quarter_squares(domain) for domain in _arguments(x, y))
    return int(plus.min() - minus.max()), int(plus.max() - minus.min())


def _quarter_squares(domain: Interval) -> IntArray:
    """T at each integer of an interval, ends included."""
    return _quarter_square(np.arange(domain[0], domain[1] + 1))


def _quarter_square(values: npt.NDArray[Any]) -> IntArray:
    """T of each value."""
    squares: IntArray = np.square(values) >> 2
    return squares
