"""Integer operators of two computed tensors of one shape, and how tensors of one shape are read together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.integer_operator import Analysis, Constants, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval

# Entries of a table of the sum or the difference: tensors of 12 bits fit.
LARGEST_TABLE = 2**14


def read_together(
    node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
) -> list[Expression]:
    """The inputs, of one shape, with the same axes. Raises ModelError for an accumulator."""
    for value in inputs:
        require_requantised(node, value)
    reader = Reader(node.name, analysis.intervals, builder)
    return reader.together(list(zip(node.inputs, inputs, strict=True)))


class TwoTensorsOperator(IntegerOperator):
    """Works element by element."""

    inputs: ClassVar[Sequence[int]] = (2,)
    attributes: ClassVar[Mapping[str, type]] = {}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """That of both inputs."""
        if shapes[0] != shapes[1]:
            raise ModelError(f"'{node.name}': {self.name} takes one shape, not the shapes {shapes}")
        return shapes[0]

    def operands(
        self, node: Node, intervals: Sequence[Interval], constants: Constants
    ) -> tuple[Interval, Interval]:
        """The intervals of both inputs.

        Raises ModelError for a constant among them, and for intervals whose tables would be too large.
        """
        self.require_computed(node, constants)
        x, y = intervals
        if x[1] - x[0] + y[1] - y[0] >= LARGEST_TABLE or max(map(abs, (*x, *y))) >= LARGEST_TABLE:
            raise ModelError(f"'{node.name}': inputs in {x} and {y} need too large tables; requantise them")
        return x, y
