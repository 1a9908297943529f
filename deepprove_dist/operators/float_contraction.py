"""The contraction of two computed tensors, in a float graph: see `contraction` for what it is in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.lowering.contract import Labels
from deepprove_dist.operators.contraction import Contraction, product_interval
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.sums_of_products import sum_products
from deepprove_dist.operators.weighted_average import WeightedAverage, average_interval, summed_rows
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatContraction(NodeOperator):
    """``left`` and ``right`` label the inputs' axes.

    Labels below ``outputs`` are the output's axes. Further ones are summed over, and have the sizes
    ``contracted``. Where ``row_sum`` is planned, the first input has rows that add up to that at most.
    """

    left: Labels
    right: Labels
    outputs: int
    contracted: Shape
    row_sum: int | None = None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The sizes of the output's labels."""
        sizes = dict(zip(self.left + self.right, inputs[0] + inputs[1], strict=True))
        return tuple(sizes[label] for label in range(self.outputs))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """As `einsum`."""
        first, second = inputs
        return sum_products(first, second, self.left, self.right, self.outputs)

    def channel_axis(self, rank: int) -> int:
        """The last one, as of a matrix product."""
        return rank - 1

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact sums, which hold an output in full width; for layers they are rescaled."""
        if form != PUBLIC:
            exact = planner.planned_output(self, PUBLIC, Reference(self.output))
            return planner.rescaled(self.name, exact, self.output, form, reference)
        planned, sources = self._averaged([planner.planned_plain(name, HIDDEN) for name in self.inputs])
        unit = sources[0].format.unit * sources[1].format.unit
        first, second = (source.format.interval for source in sources)
        by_ranges = product_interval(first, second, prod(self.contracted))
        if planned.row_sum is None:
            return planner.computed(self, sources, Format(Scale.of(unit), *by_ranges), form, reference)
        rows = summed_rows(planned.left, planned.outputs, planned.contracted)
        assert rows is not None, "rows of weights are summed over"
        format = Format(Scale.of(unit), *average_interval(planned.row_sum * rows, second))
        return replace(planner.computed(planned, sources, format, form, reference), by_ranges=by_ranges)

    def _averaged(
        self, sources: Sequence[QuantisedTensor]
    ) -> tuple[FloatContraction, Sequence[QuantisedTensor]]:
        """An average where one source has rows of weights, with that source first; else unchanged."""
        turned = replace(self, inputs=self.inputs[::-1], left=self.right, right=self.left)
        for planned, ordered in ((self, sources), (turned, sources[::-1])):
            row_sum = ordered[0].row_sum
            if row_sum is not None and summed_rows(planned.left, self.outputs, self.contracted) is not None:
                return replace(planned, row_sum=row_sum), ordered
        return self, sources

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A contraction, or an average."""
        attributes: dict[str, Attribute] = {
            "left": self.left,
            "right": self.right,
            "outputs": self.outputs,
            "contracted": self.contracted,
        }
        if self.row_sum is None:
            return Node(Contraction.name, self.name, sources, output, attributes)
        return Node(WeightedAverage.name, self.name, sources, output, {**attributes, "row_sum": self.row_sum})
