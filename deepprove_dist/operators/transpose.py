"""Transposition: the same elements under permuted axes. A view, which costs no relation."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression, moved
from deepprove_dist.lowering.views import single_axes
from deepprove_dist.model.integer_model import Node, Shape
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.base import Analysis, Constants, Inference, Operator
from deepprove_dist.protocol.table import Interval


class Transpose(Operator):
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
        """A view: the groups of axes change places."""
        x, permutation = inputs[0], integers(node, "permutation")
        known = single_axes(node, x, ())
        order = [0, *(axis for k in permutation for axis in known.axes[k])]
        places = [order.index(axis) for axis in range(len(order))]
        space = tuple(known.value.space[axis] for axis in order)
        return Expression(
            tuple(x.shape[k] for k in permutation), moved(known.value, space, places), (), (0, 0)
        )
