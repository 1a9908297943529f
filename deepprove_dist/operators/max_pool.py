"""Max pooling, as successive maxima of pairs: along the last spatial axis first, then along those before it.

Within an axis, with x_i the input at position i of the window:

    m_0 = x_0,    m_i = m_(i-1) + relu(x_i - m_(i-1)),    y = m_(k-1)

Positions outside the input count as ``minimum``, the least value that the input may have. It never exceeds a
value inside, so a window of which a part lies inside has its exact maximum.

The maximum of a few positions stays the sum of its gains. That of more is committed and looked up in its
range. A layer that read the gains would have a bound of the sum of all theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.views import Reader, dimensions, slide
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.largest_operator import LargestOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.window import Window, pooled_shape, read_window, window_attributes
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Affine
from deepprove_dist.protocol.system.table import MAX_TABLE_SIZE, Interval, Table

MOST_POSITIONS = 16
"""Of a window whose maximum is not committed."""


@dataclass(frozen=True)
class FloatMaxPool(LargestOperator):
    """The largest value in a window; positions outside the input do not count."""

    window: Window
    represents_layer: ClassVar[bool] = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """[N, C, *spatial] to [N, C, *positions]."""
        batch, channels, *spatial = inputs[0]
        return (batch, channels, *self.window.output(tuple(spatial)))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Maxima over windows."""
        view, axes = self.window.view(inputs[0], -np.inf), tuple(range(-self.window.rank, 0))
        result: FloatArray = view.max(axis=axes)
        return result

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A pool, outside of whose input the smallest integer stands."""
        attributes = {
            **window_attributes(self.window),
            "kernel": self.window.kernel,
            "minimum": intervals[0][0],
        }
        return Node(MaxPool.name, self.name, sources, output, attributes)


class MaxPool(IntegerOperator):
    """Columns: "d{axis}_{i}", the gain relu(x_i - m_(i-1)) of spatial axis ``axis``, counted from 0, for
    i = 1 .. k - 1.
    """

    name: ClassVar[str] = "max_pool"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {
        "kernel": tuple,
        "strides": tuple,
        "pads": tuple,
        "dilations": tuple,
        "minimum": int,
    }

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """x [N, C, *spatial] to [N, C, *positions]."""
        return pooled_shape(node, shapes[0])

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The input's; its lower end is the stated minimum."""
        if integer(node, "minimum") != intervals[0][0]:
            raise ModelError(f"'{node.name}': the minimum of its input is {intervals[0][0]}, not as stated")
        return intervals[0]

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Pairwise maxima; the columns are the gains of every step."""
        maximum: IntArray = inputs[0]
        window = read_window(node, integers(node, "kernel"))
        columns: dict[str, IntArray] = {}
        for axis in reversed(range(window.rank)):
            maximum, *others = window.along(axis).taps(maximum, 3 + axis, integer(node, "minimum"))
            for index, values in enumerate(others, 1):
                gain = np.maximum(values - maximum, 0)
                columns[f"d{axis}_{index}"] = gain
                maximum = maximum + gain
        return Inference(np.ascontiguousarray(maximum), columns)

    def output(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> IntArray:
        """Maxima along one axis after the other."""
        maximum: IntArray = inputs[0]
        window = read_window(node, integers(node, "kernel"))
        for axis in reversed(range(window.rank)):
            moved = np.moveaxis(maximum, 3 + axis, -1)
            view = window.along(axis).view(moved, integer(node, "minimum"))
            running = view[..., 0].copy()
            for index in range(1, view.shape[-1]):
                np.maximum(running, view[..., index], out=running)
            maximum = np.moveaxis(running, -1, 3 + axis)
        return np.ascontiguousarray(maximum)

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """One lookup of (x_i - m_(i-1), gain) a step; of many steps the maximum is committed."""
        window, minimum = read_window(node, integers(node, "kernel")), integer(node, "minimum")
        low, high = analysis.intervals[node.inputs[0]]
        if 2 * (high - low) + 1 > MAX_TABLE_SIZE:
            raise ModelError(
                f"'{node.name}': an input in [{low}, {high}] needs too large a table; requantise it"
            )
        gains = np.maximum(np.arange(low - high, high - low + 1), 0)
        table = Table.from_values(low - high, gains)
        # A maximum along one axis is no value of the inference: if something is committed, it is the input.
        spatial = range(2, 2 + window.rank)
        require_requantised(node, inputs[0])
        known = Reader(node.name, analysis.intervals, builder).slidable(node.inputs[0], inputs[0], spatial)
        value = Expression(inputs[0].shape, known.value, (), (0, 0))
        for axis in reversed(range(window.rank)):
            value = _maximum(node, value, window, axis, table, minimum, builder)
        if prod(window.kernel) <= MOST_POSITIONS:
            return value
        result = builder.store(f"{node.output}.maximum", value, Source(node.output))
        builder.look_up(low, high - low + 1, None, result.value)
        return result


def _maximum(
    node: Node,
    value: Expression,
    window: Window,
    axis: int,
    table: Table,
    minimum: int,
    builder: Builder,
) -> Expression:
    """The maximum along one spatial axis."""
    positions = window.along(axis).output(value.shape[2 + axis : 3 + axis])[0]
    shape = (*value.shape[: 2 + axis], positions, *value.shape[3 + axis :])
    offsets = [index * window.dilations[axis] - window.before(axis) for index in range(window.kernel[axis])]
    known = dimensions(value, [2 + axis])
    assert known is not None, "the value has an axis for each spatial dimension"
    maximum: Affine | None = None
    for index, offset in enumerate(offsets):
        along = IndexMap((2 + axis,), 0, positions, offset, window.strides[axis])
        view = slide(known, [along], minimum)
        assert view is not None, "any map follows a value with these axes"
        if maximum is None:
            maximum = view.value
            continue
        like = Expression(shape, maximum, (), (0, 0))
        name = f"d{axis}_{index}"
        gain = builder.witness(f"{node.output}.{name}", like, Source(node.output, name)).value
        builder.look_up(table.first, table.size, table, added(view.value, scaled(maximum, -1)), gain)
        maximum = added(maximum, gain)
    assert maximum is not None, "a window has a position"
    return Expression(shape, maximum, (), (0, 0))
