"""Integer operators of two computed tensors of one shape, which tables of their sum or difference define."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.integer_operator import Constants, IntegerOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval

# Entries of a table of the sum or the difference: tensors of 12 bits fit.
LARGEST_TABLE = 2**14


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
        if any(name in constants for name in node.inputs):
            raise ModelError(f"'{node.name}': {self.name} takes computed tensors, not a constant")
        x, y = intervals
        if x[1] - x[0] + y[1] - y[0] >= LARGEST_TABLE or max(map(abs, (*x, *y))) >= LARGEST_TABLE:
            raise ModelError(f"'{node.name}': inputs in {x} and {y} need too large tables; requantise them")
        return x, y
