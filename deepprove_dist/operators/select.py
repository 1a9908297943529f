"""The choice between two values by a truth value c, 0 or 1: a where c = 1, else b.

With d = a - b in [l, h] and M = h - l + 1,

    y = b + g,    g = c * d = T(d + M * c),

where T(v) = 0 up to h, and v - M beyond. A proof commits g, and looks it up. So c and d fix it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist import canonical
from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.quantised import NARROW, QuantisedTensor
from deepprove_dist.operators.two_tensors import LARGEST_TABLE, read_together
from deepprove_dist.protocol.system.system import Affine, Constant
from deepprove_dist.protocol.system.table import Interval, Table

GAIN = "gain"
TRUTH = (0, 1)


@dataclass(frozen=True)
class FloatSelect(NodeOperator):
    """The inputs are the condition, then the branches that are computed; the others are numbers.

    ``unit``: what an integer of the branches stands for, once they are planned.
    """

    when_true: float | None
    when_false: float | None
    unit: float = 1.0

    @property
    def branches(self) -> tuple[float | None, float | None]:
        """The numbers; None for a branch that is computed."""
        return self.when_true, self.when_false

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        computed = iter(inputs[1:])
        values = [next(computed) if number is None else number for number in self.branches]
        return np.asarray(np.where(inputs[0] != 0, *values), dtype=np.float64)

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The choice among integers of one scale, and a function after it."""
        if form != HIDDEN:
            chosen = planner.planned_output(self, HIDDEN, Reference(self.output))
            outer = HIDDEN if form.public and form.function == HIDDEN.function else form
            return planner.activated(self.name, chosen, self.output, outer, reference)
        condition, *sources = [planner.planned_plain(name, HIDDEN) for name in self.inputs]
        if not self._fits(sources):
            whole = Reference(self.output)
            sources = [planner.in_format_of(self, source, whole) for source in sources]
        node = replace(self, unit=sources[0].format.unit)
        ends = [end for source in sources for end in source.format.interval]
        ends += [number for numbers in node.integer_branches for number in numbers]
        format = Format(sources[0].format.scale, min(ends), max(ends))
        return planner.computed(node, [condition, *sources], format, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A choice, with numbers in units of the branches that are computed."""
        first, second = self.integer_branches
        return Node(Select.name, self.name, sources, output, {"when_true": first, "when_false": second})

    @property
    def integer_branches(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The numbers in units; none for a branch that is computed."""
        first, second = (
            () if number is None else (int(np.rint(number / self.unit)),) for number in self.branches
        )
        return first, second

    def _fits(self, sources: Sequence[QuantisedTensor]) -> bool:
        """Whether the sources have one scale, in which numbers are small, and not lost."""
        unit = sources[0].format.unit
        numbers = [number for number in self.branches if number is not None]
        small = all(abs(number) < NARROW * unit for number in numbers)
        held = all(map(sources[0].holds, numbers))
        return small and held and len({source.format.scale for source in sources}) == 1


class Select(IntegerOperator):
    """Attributes: ``when_true`` and ``when_false``, a number each, or none for a branch that is an input.

    The inputs are the condition, then the branches. Column: "gain".
    """

    name: ClassVar[str] = "select"
    inputs: ClassVar[Sequence[int]] = (2, 3)
    attributes: ClassVar[Mapping[str, type]] = {"when_true": tuple, "when_false": tuple}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """That of all inputs."""
        numbers = [integers(node, "when_true"), integers(node, "when_false")]
        if max(map(len, numbers)) > 1 or len(shapes) != 3 - sum(map(len, numbers)):
            raise ModelError(f"'{node.name}': a choice has two branches, numbers or inputs")
        if len(set(shapes)) != 1:
            raise ModelError(f"'{node.name}': a choice takes one shape, not the shapes {shapes}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """From the smallest lower end of both branches to the largest upper one."""
        self.require_computed(node, constants)
        if not TRUTH[0] <= intervals[0][0] <= intervals[0][1] <= TRUTH[1]:
            raise ModelError(f"'{node.name}': its condition is in {intervals[0]}, not 0 or 1")
        first, second = _branches(node, intervals[1:])
        if max(map(abs, (*first, *second))) >= LARGEST_TABLE:
            raise ModelError(f"'{node.name}': branches in {first} and {second} need too large a table")
        return min(first[0], second[0]), max(first[1], second[1])

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One choice; the column is what it adds to the second branch."""
        condition, *computed = inputs
        numbers, values = iter(computed), []
        for key in ("when_true", "when_false"):
            number = integers(node, key)
            values.append(np.full_like(condition, number[0]) if number else next(numbers))
        gain = condition * (values[0] - values[1])
        return Inference(values[1] + gain, {GAIN: gain})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """One lookup, of the difference and the condition together."""
        condition, *computed = read_together(node, inputs, analysis, builder)
        values = iter(computed)
        first, second = (
            _number(condition, integers(node, key)) or next(values).value
            for key in ("when_true", "when_false")
        )
        ends = _branches(node, [analysis.intervals[name] for name in node.inputs[1:]])
        low, high = ends[0][0] - ends[1][1], ends[0][1] - ends[1][0]
        gain = builder.witness(f"{node.output}.{GAIN}", condition, Source(node.output, GAIN)).value
        step = high - low + 1
        table = Table.from_values(low, [0] * step + list(range(low, high + 1)))
        argument = added(first, scaled(second, -1), scaled(condition.value, step))
        builder.look_up(table.first, table.size, table, argument, gain)
        return Expression(condition.shape, added(second, gain), (), (0, 0))


def _branches(node: Node, computed: Sequence[Interval]) -> tuple[Interval, Interval]:
    """The intervals of both branches."""
    intervals = iter(computed)
    first, second = (
        (number[0], number[0]) if (number := integers(node, key)) else next(intervals)
        for key in ("when_true", "when_false")
    )
    return first, second


def _number(like: Expression, number: tuple[int, ...]) -> Affine | None:
    """The number everywhere; None where there is none."""
    return canonical.replace(like.value, terms=(), constants=(Constant(number[0]),)) if number else None
