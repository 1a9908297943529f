"""Sum pooling: acc[c, o..] = (product over axes of weights_axis[o_axis]) * sum_{i..} x[c, window place o, i].

The input is zero outside its axes. An average is a sum pool whose weights are in inverse proportion to the
number of places that count; where it differs between places, it is a product over axes.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader, Slide
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.window import pooled_shape, read_window
from deepprove_dist.protocol.table import IntArray, Interval


class SumPool(IntegerOperator):
    """Attributes: ``places``, the output's size along each spatial axis; ``weights``, an integer for each
    place of the first axis, then of the second.
    """

    name: ClassVar[str] = "sum_pool"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {
        "kernel": tuple,
        "strides": tuple,
        "pads": tuple,
        "dilations": tuple,
        "places": tuple,
        "weights": tuple,
    }

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """x [N, C, *spatial] to [N, C, *places]."""
        shape = pooled_shape(node, shapes[0])
        places = shape[2:]
        if integers(node, "places") != places or len(integers(node, "weights")) != sum(places):
            raise ModelError(f"'{node.name}': its output has {places} places, each with a weight an axis")
        return shape

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """A full window of either end of the input's interval, or of zeros outside, times every weight."""
        lo, hi = intervals[0]
        if any(integers(node, "pads")):
            lo, hi = min(lo, 0), max(hi, 0)
        # Extremes of a product of numbers from intervals lie at their ends.
        corners = {1}
        for weights in _weights(node):
            corners = {corner * end for corner in corners for end in (min(weights), max(weights))}
        count = prod(integers(node, "kernel"))
        ends = [corner * count * end for corner in corners for end in (lo, hi)]
        if max(map(abs, ends)) >= LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': sums of a pool must stay below 2^52")
        return min(ends), max(ends)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Window sums times weights; no further columns."""
        window = read_window(node, integers(node, "kernel"))
        sums: IntArray = window.view(inputs[0], 0).sum(axis=tuple(range(-window.rank, 0)), dtype=np.int64)
        for axis, weights in enumerate(_weights(node)):
            sums *= np.array(weights).reshape(-1, *(1 for _ in range(axis + 1, window.rank)))
        return Inference(sums, {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A sum over windows is linear: one window an axis, with its weights."""
        window = read_window(node, integers(node, "kernel"))
        places = integers(node, "places")
        slides = []
        for k, (taps, own) in enumerate(zip(window.kernel, _weights(node), strict=True)):
            geometry = window.strides[k], window.dilations[k], -window.before(k)
            slides.append((2 + k, Slide(places[k], taps, *geometry, own)))
        value = Reader(node.name, analysis.intervals, builder).slide(node.inputs[0], inputs[0], slides).value
        return Expression((*inputs[0].shape[:2], *places), value, (), (0, 0))


def _weights(node: Node) -> list[tuple[int, ...]]:
    """The weights of each axis."""
    remaining, result = integers(node, "weights"), []
    for places in integers(node, "places"):
        result.append(remaining[:places])
        remaining = remaining[places:]
    return result
