"""Broadcasting: the same elements, repeated along axes. A view, which costs no relation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.broadcast import broadcast
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatBroadcast(MovingOperator):
    """The input under a shape that numpy broadcasts it to: axes of size 1, and missing ones, are repeated."""

    shape: Shape
    keeps_order: ClassVar[bool] = False

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The stated one."""
        return self.shape

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """A view."""
        return np.broadcast_to(inputs[0], self.shape)

    def channel_axis(self, rank: int) -> None:
        """The input's."""
        return

    def takes_scales(self, axis: int, rank: int) -> bool:
        """They move as values do."""
        return True

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A broadcast."""
        return Node(Broadcast.name, self.name, sources, output, {"shape": self.shape})

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """As values."""
        return self.evaluate(scales)


class Broadcast(IntegerOperator):
    """Attribute: ``shape``, that of one sample's output."""

    name: ClassVar[str] = "broadcast"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"shape": tuple}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The attribute, if the input broadcasts to it."""
        (source,), target = shapes, integers(node, "shape")
        if any(size < 1 for size in target) or not broadcasts(source, target):
            raise ModelError(f"'{node.name}': {source} does not broadcast to {target}")
        return target

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The input's."""
        return intervals[0]

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """A view, but for a single value; no further columns."""
        x, target = inputs[0], integers(node, "shape")
        ones = (1 for _ in range(len(target) - x.ndim + 1))
        repeated = np.broadcast_to(x.reshape(len(x), *ones, *x.shape[1:]), (len(x), *target))
        # Flat, a view of one value is no array of elements side by side, which the kernels read.
        return Inference(np.ascontiguousarray(repeated) if x.size == 1 else repeated, {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A view, also of an accumulator."""
        x = Reader(node.name, analysis.intervals, builder).aligned(node.inputs[0], inputs[0], inputs[0].shape)
        return broadcast(x, integers(node, "shape"))


def broadcasts(shape: Shape, target: Shape) -> bool:
    """Whether numpy broadcasts a shape to another one."""
    missing = len(target) - len(shape)
    return missing >= 0 and all(a in (1, b) for a, b in zip(shape, target[missing:], strict=True))
