"""The larger of two computed tensors, element by element:

    max(x, y) = x + g,    g = relu(y - x).

A proof commits the gain g, and looks (y - x, g) up in a table of relu. So x and y fix g, and both fix the
maximum, which is an affine value of committed tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Reference
from deepprove_dist.operators.function_properties import monotone
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.table import Interval, Table

# Entries of the table of relu: tensors of 12 bits fit.
LARGEST_TABLE = 2**14

GAIN = "gain"


@dataclass(frozen=True)
class FloatMaximum(MovingOperator):
    """output = max(inputs[0], inputs[1]), of one shape."""

    onnx_operator: ClassVar[str] = "Max"

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        return np.maximum(inputs[0], inputs[1])

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def read_form(self, form: Form) -> Form:
        """With its function, where that never falls; but never in full width, which needs tables as wide."""
        return Form(form.function) if monotone(form.function) else HIDDEN

    def same_integers(self, form: Form) -> tuple[str, Form]:
        """Those of the form that it reads, where that has the same function."""
        inner = self.read_form(form)
        return self.output, inner if inner.function == form.function else form

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Both inputs in formats of their own, since others may read them too."""
        for inner in dict.fromkeys(map(self.read_form, forms)):
            for name in self.inputs:
                yield Need(name, inner, Reference(name, inner.function))

    def sources(self, form: Form, planner: Planner) -> Sequence[QuantisedTensor]:
        """Both in one plain format, since maxima compare: where they have others, in the output's.

        What that clamps from below is never the larger one, unless both are.
        """
        plain = [self._plain(name, form, planner) for name in self.inputs]
        if len({source.format.scale for source in plain}) == 1:
            return plain
        whole = Reference(self.output, form.function)
        return [planner.in_format_of(self, source, whole) for source in plain]

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A maximum."""
        return Node(Maximum.name, self.name, sources, output, {})

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """It has one scale."""
        raise AssertionError("the sources of a maximum have one scale")

    @staticmethod
    def _plain(name: str, form: Form, planner: Planner) -> QuantisedTensor:
        source = planner.planned(name, form)
        return source if source.is_plain else planner.in_one_format(name, form)


class Maximum(IntegerOperator):
    """Column: "gain", relu(y - x)."""

    name: ClassVar[str] = "maximum_of_two"
    inputs: ClassVar[Sequence[int]] = (2,)
    attributes: ClassVar[Mapping[str, type]] = {}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """That of both inputs."""
        if shapes[0] != shapes[1]:
            raise ModelError(f"'{node.name}': tensors of the shapes {shapes} have no maximum of each element")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """From the larger lower end to the larger upper one."""
        if any(name in constants for name in node.inputs):
            raise ModelError(f"'{node.name}': it compares computed tensors, not a constant")
        x, y = intervals
        low, high = _differences(x, y)
        if high - low >= LARGEST_TABLE or max(map(abs, (*x, *y))) >= LARGEST_TABLE:
            raise ModelError(f"'{node.name}': operands in {x} and {y} need too large tables; requantise them")
        return max(x[0], y[0]), max(x[1], y[1])

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One maximum; the column is the gain."""
        x, y = inputs
        return Inference(np.maximum(x, y), {GAIN: np.maximum(y - x, 0)})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """One lookup, of the difference and the gain."""
        for value in inputs:
            require_requantised(node, value)
        reader = Reader(node.name, analysis.intervals, builder)
        x, y = reader.together(list(zip(node.inputs, inputs, strict=True)))
        first, second = (analysis.intervals[name] for name in node.inputs)
        low, high = _differences(first, second)
        gain = builder.witness(f"{node.output}.{GAIN}", x, Source(node.output, GAIN)).value
        table = Table.from_values(low, np.maximum(np.arange(low, high + 1), 0))
        builder.look_up(table.first, table.size, table, added(y.value, scaled(x.value, -1)), gain)
        return Expression(x.shape, added(x.value, gain), (), (0, 0))


def _differences(x: Interval, y: Interval) -> Interval:
    """The interval of y - x."""
    return y[0] - x[1], y[1] - x[0]
