"""The quotient of two computed tensors, element by element, rounded to the nearest integer, halves up:

    y = floor((2 M a + b) / (2 b))

with a constant M >= 1. The divisor b has one sign: its range excludes 0. A negative one is negated, with a. A
proof commits y and the remainder of the division.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, scaled
from deepprove_dist.lowering.quotient import Remainder, quotient_interval, remainders, require_quotient
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import DIVISOR, HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.two_tensors import TwoTensorsOperator, read_together
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Factor
from deepprove_dist.protocol.system.table import Interval

LARGEST_QUOTIENT = 2**15 - 1


@dataclass(frozen=True)
class FloatQuotient(NodeOperator):
    """output = inputs[0] / inputs[1], of one shape. ``multiplier`` is M, once that is planned."""

    onnx_operator: ClassVar[str] = "Div"

    multiplier: int = 0

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        with np.errstate(divide="ignore", invalid="ignore"):
            result: FloatArray = inputs[0] / inputs[1]
        return result

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The dividend as it is, and the divisor in a range without 0."""
        dividend, divisor = self.inputs
        return [Need(dividend, HIDDEN, Reference(dividend)), Need(divisor, DIVISOR, Reference(divisor))]

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact quotient, which holds an output in full width; for layers it is rescaled."""
        if form != PUBLIC:
            exact = planner.planned_output(self, PUBLIC, Reference(self.output))
            return planner.rescaled(self.name, exact, self.output, form, reference)
        sources = [
            planner.planned_plain(name, kind)
            for name, kind in zip(self.inputs, (HIDDEN, DIVISOR), strict=True)
        ]
        a, b = (source.format for source in sources)
        least = b.lo if b.lo > 0 else -b.hi
        if least < 1:
            raise QuantisationError(f"'{self.name}': its divisor may be 0")
        multiplier = max(1, LARGEST_QUOTIENT * least // max(-a.lo, a.hi, 1))
        interval = _interval(a.interval, b.interval, multiplier)
        format = Format(Scale.of(a.unit / b.unit / multiplier), *interval)
        return planner.computed(replace(self, multiplier=multiplier), sources, format, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A division."""
        return Node(Quotient.name, self.name, sources, output, {"multiplier": self.multiplier})


class Quotient(TwoTensorsOperator):
    """Attribute: ``multiplier`` M. Columns: "r", the remainder, and "s" = 2 |b| - 1 - r."""

    name: ClassVar[str] = "quotient"
    attributes: ClassVar[Mapping[str, type]] = {"multiplier": int}

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Quotients of the ends. Raises ModelError for a divisor that may be 0, and where p is passed."""
        self.require_computed(node, constants)
        (a, b), multiplier = intervals, integer(node, "multiplier")
        if b[0] <= 0 <= b[1]:
            raise ModelError(f"'{node.name}': its divisor in {b} may be 0")
        if not 1 <= multiplier < MODULUS:
            raise ModelError(f"'{node.name}': its multiplier is {multiplier}")
        low, high = _interval(a, b, multiplier)
        largest = max(map(abs, b))
        both = 2 * multiplier * max(map(abs, a)) + 2 * max(-low, high) * largest + 4 * largest
        if both >= MODULUS or high - low >= 2 * LARGEST_QUOTIENT + 4:
            raise ModelError(f"'{node.name}': quotients of {a} by {b} are too large; requantise them")
        return low, high

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One division; the columns are the remainder and what it lacks."""
        a, b = inputs
        sign = np.sign(b)
        return Inference(*remainders(sign * integer(node, "multiplier") * a, sign * b))

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The quotient is looked up in its range; the division is one product."""
        a, b = read_together(node, inputs, analysis, builder)
        interval = analysis.intervals[node.inputs[1]]
        sign = 1 if interval[0] > 0 else -1
        low, high = analysis.intervals[node.output]
        result = builder.witness(node.output, a, Source(node.output))
        builder.look_up(low, high - low + 1, None, result.value)
        left_over = Remainder(node.name, node.output, 2 * max(map(abs, interval)) - 1, prod(a.shape))
        divisor = Factor(scaled(b.value, sign), tuple(range(len(b.space))))
        twice = scaled(a.value, 2 * sign * integer(node, "multiplier"))
        require_quotient(twice, result.value, divisor, left_over, builder)
        return result


def _interval(a: Interval, b: Interval, multiplier: int) -> Interval:
    """Quotients of the ends, where a negative divisor is negated."""
    if b[0] > 0:
        return quotient_interval((multiplier * a[0], multiplier * a[1]), b)
    return quotient_interval((-multiplier * a[1], -multiplier * a[0]), (-b[1], -b[0]))
