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

from deepprove_dist.arrays import FloatArray
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import Form, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference
from deepprove_dist.operators.largest_operator import LargestOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.two_tensors import TwoTensorsOperator, read_together
from deepprove_dist.protocol.system.table import Interval, Table

GAIN = "gain"


@dataclass(frozen=True)
class FloatMaximum(LargestOperator):
    """output = max(inputs[0], inputs[1]), of one shape."""

    onnx_operator: ClassVar[str] = "Max"

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        return np.maximum(inputs[0], inputs[1])

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Both inputs in formats of their own, since others may read them too."""
        for inner in dict.fromkeys(map(self.read_form, forms)):
            for name in self.inputs:
                yield Need(name, inner, Reference(name, inner.function))

    def sources(self, form: Form, planner: Planner) -> Sequence[QuantisedTensor]:
        """Both in one plain format, since maxima compare: where they have others, in the output's.

        What that clamps from below is never the larger one, unless both are.
        """
        plain = super().sources(form, planner)
        if len({source.format.scale for source in plain}) == 1:
            return plain
        whole = Reference(self.output, form.function)
        return [planner.in_format_of(self, source, whole) for source in plain]

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A maximum."""
        return Node(Maximum.name, self.name, sources, output, {})


class Maximum(TwoTensorsOperator):
    """Column: "gain", relu(y - x)."""

    name: ClassVar[str] = "maximum_of_two"

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """From the larger lower end to the larger upper one."""
        x, y = self.operands(node, intervals, constants)
        return max(x[0], y[0]), max(x[1], y[1])

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One maximum; the column is the gain."""
        x, y = inputs
        return Inference(np.maximum(x, y), {GAIN: np.maximum(y - x, 0)})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """One lookup, of the difference and the gain."""
        x, y = read_together(node, inputs, analysis, builder)
        first, second = (analysis.intervals[name] for name in node.inputs)
        low, high = second[0] - first[1], second[1] - first[0]
        gain = builder.witness(f"{node.output}.{GAIN}", x, Source(node.output, GAIN)).value
        table = Table.from_values(low, np.maximum(np.arange(low, high + 1), 0))
        builder.look_up(table.first, table.size, table, added(y.value, scaled(x.value, -1)), gain)
        return Expression(x.shape, added(x.value, gain), (), (0, 0))
