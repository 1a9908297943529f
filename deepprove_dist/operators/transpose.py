"""Transposition: the same elements under permuted axes. A view, which costs no relation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.rearrange import rearranged
from deepprove_dist.lowering.views import Reader, axes_of_dimensions
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatTranspose(MovingOperator):
    """Output axis k is input axis ``permutation[k]``."""

    permutation: tuple[int, ...]
    keeps_order: ClassVar[bool] = False

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Sizes in the new order."""
        return tuple(inputs[0][axis] for axis in self.permutation)

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """A view."""
        return inputs[0].transpose(self.permutation)

    def moved_back(self, values: FloatArray, shape: Shape) -> FloatArray:
        """Axes in the order of the input's."""
        whole = values.reshape(*(1 for _ in range(len(shape) - values.ndim)), *values.shape)
        return whole.transpose(np.argsort(self.permutation))

    def takes_scales(self, axis: int, rank: int) -> bool:
        """They move as values do."""
        return True

    def moved_axes(self, axis: int, before: Shape, after: Shape) -> Sequence[int]:
        """Where the axis is then."""
        return (self.permutation.index(axis),)

    def keeps_rows(self, planner: Planner) -> bool:
        """As long as the last axis stays where it is."""
        return self.permutation[-1:] == (len(self.permutation) - 1,)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A transposition."""
        return Node(Transpose.name, self.name, sources, output, {"permutation": self.permutation})

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """As values."""
        return self.evaluate(scales)


class Transpose(IntegerOperator):
    """Attribute ``permutation``: axis k of one sample's output is axis permutation[k] of its input."""

    name: ClassVar[str] = "transpose"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"permutation": tuple}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's sizes in the new order."""
        (shape,), permutation = shapes, integers(node, "permutation")
        if sorted(permutation) != list(range(len(shape))):
            raise ModelError(f"'{node.name}': {permutation} does not permute the axes of {shape}")
        return tuple(shape[axis] for axis in permutation)

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The input's."""
        return intervals[0]

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """The elements in their new order; no further columns."""
        order = (0, *(1 + axis for axis in integers(node, "permutation")))
        return Inference(np.ascontiguousarray(inputs[0].transpose(order)), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A view, also of an accumulator: the groups of axes change order."""
        permutation = integers(node, "permutation")
        x = Reader(node.name, analysis.intervals, builder).aligned(node.inputs[0], inputs[0], inputs[0].shape)
        axes = axes_of_dimensions(x)
        order = [axis for k in permutation for axis in axes[k]]
        # Samples, and axes that belong to no dimension, stay in front.
        order = [axis for axis in range(len(x.space)) if axis not in order] + order
        cut_axes = [(order.index(axis),) for axis in range(len(order))]
        space = tuple(x.space[axis] for axis in order)
        return rearranged(x, tuple(x.shape[k] for k in permutation), space, cut_axes)
