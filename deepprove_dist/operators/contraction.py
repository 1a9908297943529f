"""The contraction of two computed tensors: a product of matrices, of any rank.

    y[o] = sum over k of a[..] * b[..]

Axes have labels. Labels 0, 1, ... are the output's axes in their order, further ones are summed over. An
output axis is in one factor, or in both. Samples are never mixed: theirs is an axis of both factors.

In integers it is an accumulator: products are summed exactly. A proof commits nothing for it. Both factors
have proven ranges, so the sum has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.contract import Labels, contract
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM, require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.sums_of_products import sum_products
from deepprove_dist.protocol.system.system import Affine
from deepprove_dist.protocol.system.table import Interval


class Contraction(IntegerOperator):
    """Attributes ``left``, ``right``, ``outputs``, ``contracted``: as of the float operator."""

    name: ClassVar[str] = "contraction"
    inputs: ClassVar[Sequence[int]] = (2,)
    attributes: ClassVar[Mapping[str, type]] = {
        "left": tuple,
        "right": tuple,
        "outputs": int,
        "contracted": tuple,
    }

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The sizes of the output's labels. Each label has one size, and those summed over are in both."""
        left, right, outputs = read_labels(node)
        contracted = integers(node, "contracted")
        sizes: dict[int, int] = {}
        for labels, shape in zip((left, right), shapes, strict=True):
            same = len(labels) == len(shape) == len(set(labels))
            if not same or any(
                sizes.setdefault(k, size) != size for k, size in zip(labels, shape, strict=True)
            ):
                raise ModelError(f"'{node.name}': the shapes {shapes} do not fit the labels {left}, {right}")
        summed = range(outputs, outputs + len(contracted))
        both = set(left) & set(right)
        # Whatever a file states, no longer range than there are labels.
        numbered = outputs + len(contracted) == len(sizes) and sorted(sizes) == list(range(len(sizes)))
        if not numbered or not both.issuperset(summed):
            raise ModelError(f"'{node.name}': {left} and {right} leave out an axis, or have it once")
        if tuple(sizes[label] for label in summed) != contracted:
            raise ModelError(f"'{node.name}': it sums over axes of other sizes than {contracted}")
        return tuple(sizes[label] for label in range(outputs))

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """As many products as are summed, each at its ends."""
        self.require_computed(node, constants)
        first, second = intervals
        low, high = product_interval(first, second, prod(integers(node, "contracted")))
        if max(-low, high) >= LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': sums of products must stay below 2^52")
        return low, high

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Matrix products in float64, which are exact; no further columns."""
        left, right, outputs = read_labels(node)
        labels = [tuple(1 + label for label in side) for side in (left, right)]
        first, second = (values.astype(np.float64) for values in inputs)
        sums = sum_products(first, second, (0, *labels[0]), (0, *labels[1]), 1 + outputs)
        return Inference(sums.astype(np.int64), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """One product of both inputs, over the axes of their labels."""
        for value in inputs:
            require_requantised(node, value)
        left, right, outputs = read_labels(node)
        reader = Reader(node.name, analysis.intervals, builder)
        named = list(zip(node.inputs, inputs, strict=True))
        space, product = contract(reader, named, (left, right), outputs)
        bounds = analysis.intervals[node.output]
        return Expression(analysis.shapes[node.output], Affine(space, (), ()), (product,), bounds)


def read_labels(node: Node) -> tuple[Labels, Labels, int]:
    """The labels of both inputs' axes, and how many are the output's."""
    return integers(node, "left"), integers(node, "right"), integer(node, "outputs")


def product_interval(first: Interval, second: Interval, terms: int) -> Interval:
    """The bounds of so many products of a value in the first interval and one in the second."""
    ends = [terms * a * b for a in first for b in second]
    return min(ends), max(ends)
