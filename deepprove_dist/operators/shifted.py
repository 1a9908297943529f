"""Integers that count from another zero point and in another unit: real = unit * (integer + shift).

With x = before * X for integers X, the output is y = unit * (X + shift). That is what QuantizeLinear makes of
a tensor in its format, and what DequantizeLinear makes of integers. It moves the interval, and costs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from deepprove_dist.arrays import FloatArray
from deepprove_dist.operators.float_operator import FloatOperator, Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.pointwise import IDENTITY, Function, compose
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.weighted_sum import weighted_sum_node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatShifted(NodeOperator):
    """``before`` and ``unit`` are what one unit stands for in the input and in the output."""

    before: float
    shift: int
    unit: float

    @property
    def function(self) -> Function:
        """The same of a real value."""
        return (IDENTITY * (1 / self.before) + self.shift) * self.unit

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Divide, shift and scale."""
        return (inputs[0] / self.before + self.shift) * self.unit

    def channel_axis(self, rank: int) -> None:
        """The input's."""
        return

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The input as it is."""
        if forms:
            yield Need(self.input, HIDDEN, Reference(self.input))

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The source's integers, shifted, where they count the unit; else a table of what they stand for."""
        source = planner.planned(self.input, HIDDEN)
        if source.format.scale != Scale.of(self.before):
            whole = replace(form, function=compose(form.function, self.function))
            return planner.activated(self.name, source, self.input, whole, reference)
        if form in (HIDDEN, PUBLIC):
            lo, hi = source.format.interval
            format = Format(Scale.of(self.unit), lo + self.shift, hi + self.shift)
            return planner.computed(self, [source], format, form, reference)
        shifted = planner.planned_output(self, HIDDEN, Reference(self.output))
        return planner.activated(self.name, shifted, self.output, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A sum of the source and the shift."""
        return weighted_sum_node(self.name, sources, output, (1,), self.shift)


def undone(node: FloatOperator | None, shift: int, unit: float) -> str | None:
    """The tensor that a node shifts, where this shift of its output to this unit gives it back; else None."""
    if isinstance(node, FloatShifted) and (node.before, node.shift, node.unit) == (unit, -shift, 1.0):
        return node.input
    return None
