"""Reshape: the same elements, in row-major order, under other axes. A view, which costs no relation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatReshape(MovingOperator):
    """The same elements in row-major order under another shape."""

    shape: Shape

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The stated one."""
        return self.shape

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """A view."""
        return inputs[0].reshape(self.shape)

    def moved_back(self, values: FloatArray, shape: Shape) -> FloatArray:
        """The same elements under the input's shape."""
        return values if values.size == 1 else np.broadcast_to(values, self.shape).reshape(shape)

    def takes_scales(self, axis: int, rank: int) -> bool:
        """They move as values do."""
        return True

    def moved_axes(self, axis: int, before: Shape, after: Shape) -> Sequence[int]:
        """Those that count some of the positions that the axis counted."""
        step, end = prod(before[axis + 1 :]), prod(before[axis:])
        return [
            position
            for position, size in enumerate(after)
            if size > 1 and prod(after[position + 1 :]) < end and prod(after[position:]) > step
        ]

    def keeps_rows(self, planner: Planner) -> bool:
        """Rows of the same size are the same."""
        return planner.shape(self.input)[-1:] == self.shape[-1:]

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A reshape."""
        return reshape_node(self.name, sources[0], output, self.shape)

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """As values."""
        return self.evaluate(scales)


class Reshape(IntegerOperator):
    """Attribute: ``shape``, that of one sample's output."""

    name: ClassVar[str] = "reshape"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"shape": tuple}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The attribute, if it has as many elements."""
        shape = _target(node)
        if any(size < 1 for size in shape) or prod(shape) != prod(shapes[0]):
            raise ModelError(f"'{node.name}': {shapes[0]} cannot be reshaped to {shape}")
        return shape

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The input's."""
        return intervals[0]

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """A view."""
        return Inference(inputs[0].reshape(len(inputs[0]), *_target(node)), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The same expression under another shape."""
        return replace(inputs[0], shape=_target(node))


def reshape_node(name: str, source: str, output: str, shape: Shape) -> Node:
    """The node that gives a tensor another shape."""
    return Node(Reshape.name, name, (source,), output, {"shape": shape})


def _target(node: Node) -> Shape:
    shape = node.attributes["shape"]
    if not isinstance(shape, tuple):
        raise ModelError(f"'{node.name}': a reshape has a shape")
    return shape
