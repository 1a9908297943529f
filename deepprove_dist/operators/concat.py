"""Concatenation: the inputs one after the other along an axis. All are integers of the same scale."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added
from deepprove_dist.lowering.views import Slide, slide
from deepprove_dist.model.integer_model import Node, Shape
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.base import Analysis, Constants, Inference, Operator
from deepprove_dist.protocol.table import Interval

MAX_INPUTS = 256


class Concat(Operator):
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
        """The sum of the inputs, each moved to its places along the axis and zero elsewhere."""
        axis = integer(node, "axis")
        total, first, parts = sum(value.shape[axis] for value in inputs), 0, []
        for name, value in zip(node.inputs, inputs, strict=True):
            moved = slide(node, value, [(axis, Slide(total, 1, 1, 1, -first))], builder, Source(name))
            parts.append(moved.value)
            first += value.shape[axis]
        if len({part.space for part in parts}) != 1:
            raise ModelError(f"'{node.name}': the tensors to concatenate have different axes")
        shape = (*inputs[0].shape[:axis], total, *inputs[0].shape[axis + 1 :])
        return Expression(shape, added(*parts), (), (0, 0))
