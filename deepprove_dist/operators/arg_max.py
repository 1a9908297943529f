"""The index of the largest element of each row, of equal ones the first, where it is a public output.

With x in [l, h], the largest m of a row and t its first index, a proof commits m, t and the margins

    d_j = m - x_j - [j < t],    0 <= d_j <= h - l.

One lookup an element says that they are not negative. `protocol/system/arg_max.py` says why that is enough.
Other indices of largest values are found by a tournament.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Affine
from deepprove_dist.protocol.system.table import Interval

LARGEST, MARGIN = "largest", "margin"

LARGEST_RANGE = 2**16
"""Integers that scores are of: margins have a table of as many entries."""


@dataclass(frozen=True)
class FloatArgMax(NodeOperator):
    """Along the last axis, of this ``size``, which goes."""

    size: int

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Without the last axis."""
        return inputs[0][:-1]

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """The first index of the largest element."""
        return np.asarray(inputs[0].argmax(axis=-1), dtype=np.float64)

    def channel_axis(self, rank: int) -> None:
        """Indices have none."""
        return

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """Whole numbers."""
        source = planner.planned_plain(self.input, HIDDEN)
        format = Format(Scale.of(1.0), 0, self.size - 1)
        return planner.computed(self, [source], format, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """Indices."""
        return Node(ArgMaxOfRows.name, self.name, sources, output, {"size": self.size})


class ArgMaxOfRows(IntegerOperator):
    """Attribute: ``size``, of the last axis. The output is one of the model. Columns: "largest", "margin"."""

    name: ClassVar[str] = "arg_max"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"size": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """Without the last axis, of two elements or more."""
        size = integer(node, "size")
        if size < 2 or shapes[0][-1:] != (size,):
            raise ModelError(f"'{node.name}': the largest of {size} elements is not one of a {shapes[0]}")
        return shapes[0][:-1]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """All indices."""
        self.require_computed(node, constants)
        low, high = intervals[0]
        if high - low + 2 > LARGEST_RANGE or max(-low, high) > LARGEST_RANGE:
            raise ModelError(f"'{node.name}': scores in {intervals[0]} need too large a table")
        return 0, integer(node, "size") - 1

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """The index; the columns are the largest of each row, and how far below it the others are."""
        (x,) = inputs
        indices, largest = x.argmax(axis=-1), x.max(axis=-1)
        before = np.arange(x.shape[-1]) < indices[..., None]
        return Inference(
            indices.astype(np.int64), {LARGEST: largest, MARGIN: largest[..., None] - x - before}
        )

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A lookup of each margin, and of the largest of each row; two relations."""
        require_requantised(node, inputs[0])
        (low, high), shape = analysis.intervals[node.inputs[0]], inputs[0].shape
        reader = Reader(node.name, analysis.intervals, builder)
        known = reader.slidable(node.inputs[0], inputs[0], [len(shape) - 1])
        source = Source(node.inputs[0])
        scores = builder.store(f"{node.output}.scores", Expression(shape, known.value, (), (0, 0)), source)
        margin = builder.witness(f"{node.output}.{MARGIN}", scores, Source(node.output, MARGIN))
        builder.look_up(0, high - low + 1, None, margin.value)
        rows = Expression(shape[:-1], Affine(scores.space[:-1], (), ()), (), (0, 0))
        largest = builder.witness(f"{node.output}.{LARGEST}", rows, Source(node.output, LARGEST))
        builder.look_up(low, high - low + 1, None, largest.value)
        indices = builder.witness(node.output, rows, Source(node.output))
        builder.index_largest(node.name, scores, largest, margin, indices)
        return indices
