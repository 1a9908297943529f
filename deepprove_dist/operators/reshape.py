"""Reshape: the same elements, in row-major order, under other axes. A view, which costs no relation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.table import Interval


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


def _target(node: Node) -> Shape:
    shape = node.attributes["shape"]
    if not isinstance(shape, tuple):
        raise ModelError(f"'{node.name}': a reshape has a shape")
    return shape
