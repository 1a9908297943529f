"""The square root of a sum, exact in integers: for v >= 0 the integer b nearest to sqrt(v + 1).

A table of a root is coarse near 0, where the root is steep. So the sum itself is taken, in the finest unit
that the field holds, without rounding it first: b reaches up to 2^15. The 1 makes b at least 1, which the
proof of a root asks for (`lowering.root`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.lowering.builder import LIMB_BITS, Builder, Limb, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.root import committed_root, nearest_root, nearest_roots
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import EXACT, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.pointwise import SQUARE_ROOT, Function, compose, evaluate
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import BATCH, Affine, Constant
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatRoot(NodeOperator):
    """output = the square root of each element of a sum."""

    @property
    def of_each(self) -> Function:
        """The square root."""
        return SQUARE_ROOT

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Element by element."""
        return np.asarray(evaluate(SQUARE_ROOT, inputs[0]), dtype=np.float64)

    def channel_axis(self, rank: int) -> None:
        """The input's."""
        return

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The sum, in the finest unit."""
        return [Need(self.input, EXACT, Reference(self.input))]

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact root, which holds an output in full width; for layers it is rescaled.

        A sum whose bounds are below 0 has a table instead, in which the root of what is below 0 is 0.
        """
        source = planner.planned(self.input, EXACT)
        lowest, highest = source.format.interval
        if lowest < 0 or not source.format.scale.is_single:
            both = replace(form, function=compose(form.function, SQUARE_ROOT))
            return planner.rescaled(self.name, source, self.input, both, reference)
        if form != PUBLIC:
            exact = planner.planned_output(self, PUBLIC, Reference(self.output))
            return planner.rescaled(self.name, exact, self.output, form, reference)
        format = Format(Scale.of(sqrt(source.format.unit)), 0, nearest_root(highest + 1))
        return planner.computed(self, [source], format, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A root."""
        return Node(Root.name, self.name, sources, output, {})


class Root(IntegerOperator):
    """Columns: "root_r" and "root_s", t and 2 b - 1 - t."""

    name: ClassVar[str] = "square_root"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's."""
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Roots of the ends. Raises ModelError for what may be negative or too large."""
        self.require_computed(node, constants)
        low, high = intervals[0]
        if low < 0 or high >= LARGEST_SIGNED:
            raise ModelError(f"'{node.name}': a root of values in {intervals[0]}")
        return 1, nearest_root(high + 1)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Roots, and the columns of their proof."""
        return Inference(*nearest_roots(inputs[0] + 1))

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The root is looked up in its range; its square is one product."""
        value = inputs[0]
        if value.products:
            value = _in_limbs(node, value, analysis.intervals[node.inputs[0]][1], builder)
        _, largest = analysis.intervals[node.output]
        one_more = added(value.value, Affine(value.value.space, (), (Constant(1),)))
        source = Source(node.output)
        root = committed_root(node.name, node.output, source, one_more, largest, builder)
        return Expression(value.shape, root, (), (0, 0))


def _in_limbs(node: Node, value: Expression, largest: int, builder: Builder) -> Expression:
    """A value that is made of products, committed in limbs: the relation of a root has one product only."""
    whole = Affine((BATCH, *value.axes), (), ())
    for offset in range(0, max(1, largest.bit_length()), LIMB_BITS):
        limb = Limb(0, offset, LIMB_BITS)
        part = builder.witness(f"{node.output}.v{offset}", value, Source(node.inputs[0], None, limb)).value
        builder.look_up(0, min(1 << LIMB_BITS, (largest >> offset) + 1), None, part)
        whole = added(whole, scaled(part, 1 << offset))
    builder.require_equal(node.name, whole, value)
    return Expression(value.shape, whole, (), (0, 0))
