"""Concatenation: the inputs one after the other along an axis. All are integers of the same scale."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.axes import finer_axes, grouped
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression, added
from deepprove_dist.lowering.rearrange import cut
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import Form, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.table import Interval

MAX_INPUTS = 256


@dataclass(frozen=True)
class FloatConcat(MovingOperator):
    """``axis`` is counted from 0."""

    axis: int

    @property
    def joined_axis(self) -> int:
        """Its own."""
        return self.axis

    def channel_axis(self, rank: int) -> int:
        """Parts are of unlike kinds."""
        return self.axis

    def takes_scales(self, axis: int, rank: int) -> bool:
        """They move as values do."""
        return True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Sizes along the axis add up."""
        total, first = sum(shape[self.axis] for shape in inputs), inputs[0]
        return (*first[: self.axis], total, *first[self.axis + 1 :])

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """One array."""
        return np.concatenate(inputs, axis=self.axis)

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The same forms of every part."""
        for form in forms:
            for name in self.inputs:
                separable = self.output in readers.separable
                yield Need(name, form, Reference(name, form.function, self.output, separable))

    def sources(self, form: Form, planner: Planner) -> Sequence[QuantisedTensor]:
        """Parts in one format, where those that read them need it; wide ones stay as they are.

        An output's parts keep the width that they have, each with its scale.
        """
        parts = super().sources(form, planner)
        if form.public or self.output in planner.readers.separable or len({p.format for p in parts}) == 1:
            return parts
        whole = Reference(self.output, form.function)
        return [planner.in_format_of(self, part, whole) if part.is_plain else part for part in parts]

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A concatenation."""
        return Node(Concat.name, self.name, sources, output, {"axis": self.axis})

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """As values."""
        return self.evaluate(scales)


class Concat(IntegerOperator):
    """Attribute: ``axis`` of one sample's shape, counted from 0."""

    name: ClassVar[str] = "concat"
    inputs: ClassVar[Sequence[int]] = range(1, MAX_INPUTS + 1)
    attributes: ClassVar[Mapping[str, type]] = {"axis": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """That of all inputs but for the axis, whose sizes add up."""
        axis = integer(node, "axis")
        rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes if 0 <= axis < len(shape)}
        if not 0 <= axis < min(map(len, shapes)) or len(rests) != 1:
            raise ModelError(f"'{node.name}': {shapes} cannot be concatenated along axis {axis}")
        return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """From the smallest lower end to the largest upper one."""
        return min(lo for lo, _ in intervals), max(hi for _, hi in intervals)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One array; no further columns."""
        return Inference(np.concatenate(inputs, axis=1 + integer(node, "axis")), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The sum of the inputs, each moved to its positions along the axis and zero elsewhere."""
        axis, first, parts = integer(node, "axis"), 0, []
        shape = analysis.shapes[node.output]
        reader = Reader(node.name, analysis.intervals, builder)
        values = [
            reader.aligned(name, value, value.shape) for name, value in zip(node.inputs, inputs, strict=True)
        ]
        common = _with_common_axes(values, axis)
        # Of other dimensions that have no common axes, each needs one axis.
        single = () if common else tuple(range(len(shape)))
        for name, value in zip(node.inputs, common or values, strict=True):
            along = IndexMap((axis,), 0, shape[axis], -first)
            parts.append(reader.slide(name, value, [along], single=single).value)
            first += value.shape[axis]
        return Expression(shape, added(*parts), (), (0, 0))


def _with_common_axes(values: Sequence[Expression], axis: int) -> list[Expression] | None:
    """The values with the same axes in every dimension but one; None where there are no such axes."""
    groups = [grouped(value.axes, value.shape) or () for value in values]
    common = [finer_axes(*axes) for k, axes in enumerate(zip(*groups, strict=True)) if k != axis]
    known = [axes for axes in common if axes is not None]
    if len(known) < len(common):
        return None
    return [
        cut(value, tuple(chain(*known[:axis], group[axis], *known[axis:])))
        for value, group in zip(values, groups, strict=True)
    ]
