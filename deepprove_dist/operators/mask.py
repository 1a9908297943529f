"""Softmax over the last axis of scores, some of which a mask leaves out.

A mask is w = 1 where a score x in [lo, hi] is left out, 0 elsewhere. With T the table of exponentials:

    x' = x - R w,    R = (hi - lo) + Z,    T(d) = 0 for d >= Z.

A score that counts is at least lo, and one that is left out is at most hi - R = lo - Z. So the maximum m of a
row is of a score that counts, and T(m - x') is exactly 0 for one that does not. Where T would not reach 0 by
then, Z is hi - lo + 1: scores that count never differ by as much. A proof commits x' of a constant mask, and
looks it up in its range. The softmax of x' is the one without a mask.
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
from deepprove_dist.operators.exponentials import first_zero, masked_table
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.softmax import FloatSoftmax
from deepprove_dist.operators.summand import Names, Part
from deepprove_dist.operators.two_tensors import read_together
from deepprove_dist.protocol.system.system import Affine, Constant
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
        (low, high), arithmetic = intervals[0], self.planned_arithmetic
        shift = high - low + first_zero(arithmetic.top, arithmetic.unit, intervals[0])
        masked, mask = names.fresh(f"{output}.scores"), names.fresh(f"{output}.mask")
        node = Node(ScoreMask.name, self.name, (sources[0].name, mask), masked, {"shift": shift})
        table = masked_table(arithmetic.top, arithmetic.unit, intervals[0], low - shift)
        softmax = self.node_with(table, (masked,), output)
        return Part(output, 1, (node, softmax), {mask: self.mask.astype(np.int64)})


class ScoreMask(IntegerOperator):
    """x - R w, for a computed x, and a constant or computed w of 0 and 1. Attribute: ``shift``.

    It is R. With a computed mask it may be -R. Then the result is x - R (1 - w): what is left out has w = 0.
    """

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
        if node.inputs[0] in constants or not set(intervals[1]) <= {0, 1}:
            raise ModelError(f"'{node.name}': a mask is of 0 and 1, on computed scores")
        shift = integer(node, "shift")
        shift = shift if node.inputs[1] in constants else abs(shift)
        if not 0 < shift < LARGEST_SHIFT:
            raise ModelError(f"'{node.name}': a mask shifts by a number below {LARGEST_SHIFT}, and not by 0")
        return intervals[0][0] - shift, intervals[0][1]

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Subtract; no further columns."""
        shift = integer(node, "shift")
        return Inference(inputs[0] - shift * inputs[1] + min(shift, 0), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """Of a constant mask a committed tensor, in its range, that a linear relation defines.

        Of computed bits the difference itself: for it nothing is committed.
        """
        (scores, mask), shift = node.inputs, integer(node, "shift")
        shape = analysis.shapes[scores]
        if len(inputs) == 2:
            if analysis.shapes[mask] != shape:
                raise ModelError(f"'{node.name}': a computed mask has the shape {shape} of the scores")
            value, bits = (part.value for part in read_together(node, inputs, analysis, builder))
            least = Affine(value.space, (), (Constant(shift),) if shift < 0 else ())
            return Expression(shape, added(value, scaled(bits, -shift), least), (), (0, 0))
        require_requantised(node, inputs[0])
        aligned = Reader(node.name, analysis.intervals, builder).aligned(scores, inputs[0], shape)
        weight = scaled(repeated_weight(mask, analysis.shapes[mask], aligned, builder), -shift)
        shifted = Expression(shape, added(aligned.value, weight), (), (-shift, 0))
        result = builder.witness(node.output, aligned, Source(node.output))
        low, high = analysis.intervals[node.output]
        builder.look_up(low, high - low + 1, None, result.value)
        builder.require_equal(node.output, result.value, shifted)
        return result
