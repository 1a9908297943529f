"""Convolution: y[m, o..] = sum_{c, i..} W[m, c, i..] * x[c, stride * o + dilation * i - pad ..] + b[m].

Inputs x [N, C, *spatial], W [M, C / groups, *kernel] and b [M]. W and b are constants; x is zero outside its
axes. Outputs and channels are cut into groups, each of which sees its own channels only. There are up to
three spatial axes. Without any it is a dense layer for each group. With a group for each channel it scales
and shifts channels then. In integers, sums are computed as a dense layer's are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.conv_lowering import lower_convolution
from deepprove_dist.operators.integer_operator import (
    Analysis,
    Constants,
    Inference,
    IntegerOperator,
    Parts,
    SplitAxes,
)
from deepprove_dist.operators.layer import FloatLayer
from deepprove_dist.operators.linear import weighted_interval
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.small_products import PackedWeights, SmallConvolution
from deepprove_dist.operators.window import (
    Window,
    output_positions,
    read_window,
    single_positions,
    window_attributes,
)
from deepprove_dist.protocol.system.table import Interval

MAX_SPATIAL_AXES = 3

# Values of the unfolded windows that are held at once: 128 MiB.
LARGEST_UNFOLDED = 2**24

# Of a convolution that several threads compute: some milliseconds of one.
LEAST_PRODUCTS = 2**26
PARTS_A_THREAD = 3


@dataclass(frozen=True)
class FloatConv(FloatLayer):
    """Weight [M, C / groups, *kernel], bias [M]."""

    integer_name: ClassVar[str] = "conv"
    window: Window
    groups: int

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """[N, C, *spatial] to [N, M, *positions]."""
        batch, _, *spatial = inputs[0]
        return (batch, len(self.weight), *self.window.output(tuple(spatial)))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Unfolded windows times weights."""
        bias = self.bias.reshape(-1, *(1 for _ in self.window.kernel))
        return convolve(inputs[0], self.weight.astype(np.float64), self.window, self.groups) + bias

    def takes_scales(self, axis: int, rank: int) -> bool:
        """Along the channels."""
        return axis == self.read_axis(rank)

    def read_axis(self, rank: int) -> int:
        """The channels."""
        return 1

    def scales_of_weights(self, scales: FloatArray) -> FloatArray:
        """A scale for each channel of each group."""
        rows = np.repeat(scales.reshape(self.groups, -1), len(self.weight) // self.groups, axis=0)
        return rows.reshape(*self.weight.shape[:2], *(1 for _ in self.weight.shape[2:]))

    def largest_sum(self, values: FloatArray) -> float:
        """Over a window and the channels of a group."""
        batch, channels, *spatial = values.shape
        of_groups = values.reshape(batch, self.groups, channels // self.groups, *spatial).sum(axis=2)
        return float(self.window.sums(of_groups).max())

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The window's, and the groups."""
        return {**window_attributes(self.window), "groups": self.groups}


class Conv(IntegerOperator):
    """The convolution without its rescaling; its output is not committed."""

    name: ClassVar[str] = FloatConv.integer_name
    inputs: ClassVar[Sequence[int]] = (2, 3)
    attributes: ClassVar[Mapping[str, type]] = {
        "strides": tuple,
        "pads": tuple,
        "dilations": tuple,
        "groups": int,
    }
    constant_type: ClassVar[type[np.generic]] = np.float64
    reads_narrow_constants: ClassVar[bool] = True
    reads_narrow_values: ClassVar[bool] = True

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """x [N, C, *spatial] and W [M, C / groups, *kernel] to [N, M, *positions]."""
        x, weight, groups = shapes[0], shapes[1], integer(node, "groups")
        if len(x) != len(weight) or not 2 <= len(x) <= 2 + MAX_SPATIAL_AXES:
            raise ModelError(f"'{node.name}': weights {weight} do not fit an input {x}")
        if groups < 1 or weight[0] % groups or weight[1] * groups != x[1]:
            raise ModelError(f"'{node.name}': weights {weight} in {groups} groups do not fit an input {x}")
        if len(shapes) == 3 and shapes[2] != weight[:1]:
            raise ModelError(f"'{node.name}': a bias {shapes[2]} does not fit weights {weight}")
        positions = output_positions(node, read_window(node, weight[2:]), x[2:])
        return (x[0], weight[0], *positions)

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """That of a window within the input, exact where there is one, and of zeros where it may reach
        outside.
        """
        lo, hi = intervals[0]
        if any(integers(node, "pads")):
            lo, hi = min(lo, 0), max(hi, 0)
        return weighted_interval(node, (lo, hi), constants)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Sums over windows by a kernel, or by a float64 product with unfolded windows."""
        x, weight, *bias = inputs
        window = read_window(node, weight.shape[2:])
        small = SmallConvolution.of(x.reshape(-1, *x.shape[2:]), weight, bias, window)
        if small is not None:
            positions = window.output(x.shape[3:])
            sums = np.empty((len(small.sources), len(weight), *positions), dtype=small.sum_type)
            small.write(sums, 0, len(small.columns))
            return Inference(sums.reshape(*x.shape[:2], *sums.shape[1:]), {})
        images = x.reshape(-1, *x.shape[2:]).astype(np.float64)
        accumulator = convolve(images, weight, window, integer(node, "groups"))
        if len(inputs) == 3:
            accumulator += inputs[2].reshape(-1, *(1 for _ in window.kernel))
        return Inference(accumulator.astype(np.int64).reshape(*x.shape[:2], *accumulator.shape[1:]), {})

    def parts(self, node: Node, inputs: Sequence[npt.NDArray[Any]], threads: int) -> Parts | None:
        """Some rows of positions each."""
        x, weight, *bias = inputs
        window = read_window(node, weight.shape[2:])
        positions, groups = window.output(x.shape[3:]), integer(node, "groups")
        if not positions or prod(positions) * weight.size * len(x) < LEAST_PRODUCTS:
            return None
        images = x.reshape(-1, *x.shape[2:])
        small = SmallConvolution.of(images, weight, bias, window)
        kind = np.int64 if small is None else small.sum_type
        output = np.empty((len(images), len(weight), *positions), dtype=kind)
        whole = Inference(output.reshape(*x.shape[:2], *output.shape[1:]), {})
        if small is not None:
            step = -(-positions[0] // (PARTS_A_THREAD * threads))
            starts = range(0, positions[0], step)
            parts = [(first, min(first + step, positions[0])) for first in starts]
            return Parts(whole, [partial(small.write, output, *part) for part in parts])
        view = window.view(images.astype(np.float64), 0.0)

        def write(first: int, end: int) -> None:
            sums = _contracted(view[:, :, first:end], weight, window.rank, groups)
            if bias:
                sums += bias[0].reshape(-1, *(1 for _ in positions))
            output[:, :, first:end] = sums

        # Some parts a thread: not all of them take the same time.
        unfolded = images.shape[1] * prod(window.kernel) * prod(positions[1:]) * len(images)
        step = min(-(-positions[0] // (PARTS_A_THREAD * threads)), max(1, LARGEST_UNFOLDED // unfolded))
        starts = range(0, positions[0], step)
        return Parts(whole, [partial(write, first, min(first + step, positions[0])) for first in starts])

    def prepared(self, node: Node, index: int, values: Integers) -> npt.NDArray[Any]:
        """Weights packed for the kernel, where they are small."""
        packed = PackedWeights.of(values, integer(node, "groups")) if index == 1 else None
        return super().prepared(node, index, values) if packed is None else packed

    def split_axes(self, node: Node) -> SplitAxes | None:
        """The channels of both, unless each output reads some of them only."""
        return SplitAxes(2, 2, least=1) if integer(node, "groups") == 1 else None

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A contraction over channels and input positions, one product a group or one for all."""
        return lower_convolution(node, inputs[0], analysis, builder)


def scaling_node(name: str, source: str, weight: str, output: str, weight_shape: Shape) -> Node:
    """The node that multiplies each channel by a weight of its own, for weights [channels, 1, ..1]."""
    groups, _, *kernel = weight_shape
    return Node(
        Conv.name,
        name,
        (source, weight),
        output,
        {**window_attributes(single_positions(len(kernel))), "groups": groups},
    )


def convolve(images: FloatArray, weight: npt.NDArray[Any], window: Window, groups: int) -> FloatArray:
    """Images [N, C, *spatial] and weights [M, C / groups, *kernel] to [N, M, *positions]; zeros outside."""
    positions = window.output(images.shape[2:])
    unfolded = images.shape[1] * prod(window.kernel) * prod(positions)
    step = max(1, LARGEST_UNFOLDED // unfolded)
    result = np.empty((len(images), len(weight), *positions))
    for start in range(0, len(images), step):
        view = window.view(images[start : start + step], 0.0)
        result[start : start + step] = _contracted(view, weight, window.rank, groups)
    return result


def _contracted(view: FloatArray, weight: npt.NDArray[Any], rank: int, groups: int) -> FloatArray:
    """Windows [N, C, *positions, *kernel] and weights [M, C / groups, *kernel] to [N, M, *positions]."""
    matrix = weight.reshape(groups, len(weight) // groups, -1).astype(np.float64, copy=False)
    count, positions = len(view), view.shape[2 : 2 + rank]
    order = (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    columns = view.transpose(order[: view.ndim]).reshape(count, groups, matrix.shape[2], prod(positions))
    result: FloatArray = np.matmul(matrix, columns).reshape(count, len(weight), *positions)
    return result
