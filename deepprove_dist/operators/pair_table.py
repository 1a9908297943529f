"""A function of two whole numbers of small ranges, element by element, as one table.

With x in [a, a + n) and y in [b, b + m), the number (x - a) + n (y - b) is below n m, and says both. So

    z = T((x - a) + n (y - b)),

with one lookup: x and y fix the argument, and that fixes z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.canonical import replace
from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.pointwise import Primitive
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.two_tensors import TwoTensorsOperator, read_together
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Constant
from deepprove_dist.protocol.system.table import Interval, Table

LARGEST = 2**16
"""Entries: pairs of two tensors of 8 bits fit."""


@dataclass(frozen=True)
class FloatPairTable(NodeOperator):
    """output = primitive(inputs[0], inputs[1]) of whole numbers; 0 where that is not defined."""

    primitive: Primitive

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        with np.errstate(all="ignore"):
            values = np.asarray(self.primitive(inputs[0], inputs[1]), dtype=np.float64)
        return np.where(np.isfinite(values), values, 0.0)

    def channel_axis(self, rank: int) -> None:
        """The first input's."""
        return

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The whole results, and a function after them."""
        if form != HIDDEN:
            exact = planner.planned_output(self, HIDDEN, Reference(self.output))
            return planner.activated(self.name, exact, self.output, form, reference)
        sources = [planner.planned(name, HIDDEN) for name in self.inputs]
        for source in sources:
            if not source.format.scale.is_single or source.format.unit != 1.0:
                raise QuantisationError(
                    f"'{self.name}': its integers ('{source.name}') are too many for a table of pairs. "
                    "Let them be of 8 bits at most: by smaller samples, a Clip before it or a narrower type"
                )
        table = self._table([source.format.interval for source in sources])
        return planner.computed(self, sources, Format(Scale.of(1.0), *table.interval()), form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A table of all pairs."""
        ends = tuple(end for interval in intervals for end in interval)
        return Node(
            PairTable.name, self.name, sources, output, {"ends": ends, "table": self._table(intervals)}
        )

    def _table(self, intervals: Sequence[Interval]) -> Table:
        first, second = (np.arange(low, high + 1) for low, high in intervals)
        if len(first) * len(second) > LARGEST:
            raise QuantisationError(
                f"'{self.name}': integers in {intervals[0]} and {intervals[1]} need a table of more than "
                f"{LARGEST} entries. Clip its inputs, or calibrate on smaller ones"
            )
        pairs = (np.tile(first, len(second)), np.repeat(second, len(first)))
        results = self.evaluate([values.astype(np.float64) for values in pairs])
        return Table.from_values(0, np.rint(results).astype(np.int64))


class PairTable(TwoTensorsOperator):
    """Attributes: ``ends``, the first and last values of x, then of y; ``table`` T."""

    name: ClassVar[str] = "pair_table"
    attributes: ClassVar[Mapping[str, type]] = {"ends": tuple, "table": Table}

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The table's values."""
        self.require_computed(node, constants)
        if integers(node, "ends") != tuple(end for interval in intervals for end in interval):
            raise ModelError(f"'{node.name}': its inputs are in {intervals}, not as stated")
        (low, high), (first, last) = intervals
        table = _table(node)
        if table.first != 0 or table.size != (high - low + 1) * (last - first + 1) or table.size > LARGEST:
            raise ModelError(f"'{node.name}': its table has another size than there are pairs")
        return table.interval()

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One lookup each; no further columns."""
        low, high, first, _ = integers(node, "ends")
        pairs: IntArray = inputs[0] - low + (high - low + 1) * (inputs[1] - first)
        return Inference(_table(node).apply(pairs), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A lookup of the number that says both."""
        x, y = read_together(node, inputs, analysis, builder)
        low, high, first, _ = integers(node, "ends")
        count, table = high - low + 1, _table(node)
        pairs = added(x.value, scaled(y.value, count))
        pairs = replace(pairs, constants=(*pairs.constants, Constant(-low - count * first)))
        result = builder.witness(node.output, x, Source(node.output))
        builder.look_up(table.first, table.size, table, pairs, result.value)
        return result


def _table(node: Node) -> Table:
    table = node.attributes.get("table")
    if not isinstance(table, Table):
        raise ModelError(f"'{node.name}': it has no table")
    return table
