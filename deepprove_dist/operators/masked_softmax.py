"""Softmax over the last axis of scores, some of which a constant mask leaves out.

A mask is w = 1 where a score x in [lo, hi] is left out, 0 elsewhere. With T the table of exponentials:

    x' = x - R w,    R = (hi - lo) + Z,    T(d) = 0 for d >= Z.

A score that counts is at least lo, and one that is left out is at most hi - R = lo - Z. So the maximum m of a
row is of a score that counts, and T(m - x') is exactly 0 for one that does not. A proof commits x', which is
looked up in its range. The softmax of x' is the one without a mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.broadcast import repeated_weight
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.broadcast import broadcasts
from deepprove_dist.operators.exponentials import exponential_table
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.softmax import FloatSoftmax
from deepprove_dist.operators.summand import Names, Part
from deepprove_dist.protocol.system.table import Interval

LARGEST_SHIFT = 2**24


@dataclass(frozen=True)
class FloatMaskedSoftmax(FloatSoftmax):
    """``mask`` is 1 where a score is left out, 0 elsewhere; it broadcasts to the input's shape.

    Each row has a score that counts.
    """

    mask: FloatArray = field(kw_only=True)

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Relative to the maximum of the scores that count, so that nothing overflows."""
        return super().evaluate([np.where(self.mask == 1, -np.inf, inputs[0])])

    def integer_part(
        self, sources: Sequence[QuantisedTensor], output: str, intervals: Sequence[Interval], names: Names
    ) -> Part:
        """The scores with the mask, and the softmax of them."""
        assert self.arithmetic is not None, "it is planned"
        low, high = intervals[0]
        table = exponential_table(self.arithmetic.top, self.arithmetic.unit, intervals[0])
        counted = np.flatnonzero(table.apply(np.arange(table.size)))
        shift = high - low + 1 + int(counted[-1])
        masked, mask = names.fresh(f"{output}.scores"), names.fresh(f"{output}.mask")
        node = Node(ScoreMask.name, self.name, (sources[0].name, mask), masked, {"shift": shift})
        softmax = self.integer_node((masked,), output, [(low - shift, high)])
        return Part(output, 1, (node, softmax), {mask: self.mask.astype(np.int64)})


class ScoreMask(IntegerOperator):
    """x - shift * w, for a computed x and a constant w of 0 and 1. Attribute: ``shift`` R."""

    name: ClassVar[str] = "mask"
    inputs: ClassVar[Sequence[int]] = (2,)
    attributes: ClassVar[Mapping[str, type]] = {"shift": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The first input's, to which the mask broadcasts."""
        if not broadcasts(shapes[1], shapes[0]):
            raise ModelError(f"'{node.name}': a mask {shapes[1]} does not broadcast to {shapes[0]}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """From the least one that is left out, to the largest one that counts."""
        scores, mask = node.inputs
        if scores in constants or mask not in constants or not set(intervals[1]) <= {0, 1}:
            raise ModelError(f"'{node.name}': a mask is a constant of 0 and 1, on computed scores")
        if not 0 < integer(node, "shift") < LARGEST_SHIFT:
            raise ModelError(f"'{node.name}': a mask shifts by a positive number below {LARGEST_SHIFT}")
        return intervals[0][0] - integer(node, "shift"), intervals[0][1]

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Subtract; no further columns."""
        return Inference(inputs[0] - integer(node, "shift") * inputs[1], {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A committed tensor, in its range, that a linear relation defines."""
        require_requantised(node, inputs[0])
        scores, mask = node.inputs
        shift, shape = integer(node, "shift"), analysis.shapes[scores]
        value = Reader(node.name, analysis.intervals, builder).aligned(scores, inputs[0], shape)
        weight = scaled(repeated_weight(mask, analysis.shapes[mask], value, builder), -shift)
        shifted = Expression(shape, added(value.value, weight), (), (-shift, 0))
        result = builder.witness(node.output, value, Source(node.output))
        low, high = analysis.intervals[node.output]
        builder.look_up(low, high - low + 1, None, result.value)
        builder.require_equal(node.output, result.value, shifted)
        return result
