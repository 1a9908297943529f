"""A linear map by a constant over any axes, and a constant added:

    y[o] = sum over k of x[..] * W[..] + b[o]

Axes have labels. Labels 0, 1, ... are the output's axes in their order; further ones are summed over, and are
axes of both factors. An output axis is one of x, of W, or of both: then W has weights for each index of it.
So it is a product of matrices with the constant on either side, a scale along any axes, a triangular matrix
along one. The bias b broadcasts to the output. In integers it is an accumulator, whose sums run in float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod, sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Reals, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.broadcast import repeated_weight
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.contract import Labels, contract_with_weight
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.broadcast import broadcasts
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM, require_requantised
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.summand import Names, Part, Summand, in_units
from deepprove_dist.operators.sums_of_products import sum_products
from deepprove_dist.protocol.system.system import Affine
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatLinearMap(LinearOperator):
    """``left`` labels the axes of the input, ``right`` those of the weight; there are ``outputs`` axes."""

    weight: FloatArray
    bias: FloatArray
    left: Labels
    right: Labels
    outputs: int

    @property
    def is_finite(self) -> bool:
        """Whether weight and bias are."""
        return bool(np.isfinite(self.weight).all() and np.isfinite(self.bias).all())

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The sizes of the output's labels."""
        sizes = dict(zip(self.left + self.right, inputs[0] + self.weight.shape, strict=True))
        return tuple(sizes[label] for label in range(self.outputs))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """As `einsum`."""
        return sum_products(inputs[0], self.weight, self.left, self.right, self.outputs) + self.bias

    def channel_axis(self, rank: int) -> int:
        """The last one that only the weight has; the last one, without such."""
        alone = [label for label in self.right if label < self.outputs and label not in self.left]
        return max(alone, default=rank - 1)

    @property
    def is_gain(self) -> bool:
        """Whether nothing is summed or moved, and the weight runs along the last axis."""
        return (
            len(self.right) == 1 and self.left == tuple(range(self.outputs)) and self.right == self.left[-1:]
        )

    def takes_scales(self, axis: int, rank: int) -> bool:
        """Along the axes that the weight has too."""
        return self.left[axis] in self.right

    def scaled(self, scale: FloatArray, shift: FloatArray, shape: Shape) -> FloatLinearMap | None:
        """Into weight and bias, where the scale varies along axes of the weight only."""
        scales = scale.reshape(*(1 for _ in range(self.outputs - scale.ndim)), *scale.shape)
        varying = {axis for axis, size in enumerate(scales.shape) if size > 1}
        if not varying <= set(self.right):
            return None
        weight = self.weight * _laid_out(scales, range(self.outputs), self.right)
        return replace(self, weight=weight, bias=scale * self.bias + shift)

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """One, whose weights take up the scales along the axes that they have."""
        source = planner.planned(self.input, HIDDEN)
        varying = source.format.scale.varies_along(planner.shape(self.input))
        if not all(self.takes_scales(axis, len(self.left)) for axis in varying):
            source = planner.planned_by_axis(self.input, None)
        scaled = replace(self, weight=factor * self.weight, bias=factor * self.bias)
        return [MapSummand(source, self.input, scaled)], np.zeros(())


@dataclass(frozen=True)
class MapSummand(Summand):
    """A linear map of the source."""

    map: FloatLinearMap
    kind: ClassVar[str] = "linear_map"

    @property
    def weight_shape(self) -> Shape:
        """The map's."""
        return self.map.weight.shape

    def bounds(self) -> tuple[float, float]:
        """For each output, the weights of either sign meet the input's opposite ends."""
        lowest, highest = _bounds(self._weights, self.map.bias, self.source.format.interval, self.map)
        return float(lowest.min()), float(highest.max())

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """That of independent weights, at the output where it is largest."""
        squares = self.squares(mean_square)
        summed = tuple(axis for axis, label in enumerate(self.map.left) if label >= self.map.outputs)
        return sqrt(float(squares.sum(axis=summed).max()) / 12)

    @property
    def rounds_alike(self) -> bool:
        """Whatever the unit is."""
        return True

    def noise(self) -> float:
        """That of sums with these weights."""
        summed = tuple(axis for axis, label in enumerate(self.map.right) if label >= self.map.outputs)
        return sqrt(float(np.square(self._weights).sum(axis=summed).mean()) / 12)

    def rounding_bound(self) -> float:
        """Every weight off by a half, and the bias too."""
        labelled = zip(self.map.right, self.map.weight.shape, strict=True)
        terms: int = prod(size for label, size in labelled if label >= self.map.outputs)
        return (terms * self.largest() + 1) / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node with its weight, and a bias unless that is zero."""
        bias = in_units(self.map.bias, unit)
        constants = {names.fresh(f"{output}.weight"): in_units(self._weights, unit)}
        if bias.any():
            constants[names.fresh(f"{output}.bias")] = bias
        labels: dict[str, Attribute] = {
            "left": self.map.left,
            "right": self.map.right,
            "outputs": self.map.outputs,
        }
        node = Node(self.kind, self.map.name, (self.source.name, *constants), output, labels)
        return Part(output, 1, (node,), constants)

    @cached_property
    def _weights(self) -> FloatArray:
        """What each weight contributes for one unit of the input."""
        scale = self.source.format.scale
        if scale.is_single:
            return self.map.weight * scale.number
        return self.map.weight * _laid_out(scale.array, self.map.left, self.map.right)


class LinearMap(IntegerOperator):
    """Attributes: ``left``, ``right``, ``outputs``, as of the float operator."""

    name: ClassVar[str] = MapSummand.kind
    inputs: ClassVar[Sequence[int]] = (2, 3)
    attributes: ClassVar[Mapping[str, type]] = {"left": tuple, "right": tuple, "outputs": int}
    constant_type: ClassVar[type[np.generic]] = np.float64

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The sizes of the output's labels. Each label has one size, and those summed over are in both."""
        labels, outputs = (integers(node, "left"), integers(node, "right")), integer(node, "outputs")
        sizes: dict[int, int] = {}
        for side, shape in zip(labels, shapes[:2], strict=True):
            same = len(side) == len(shape) == len(set(side))
            if not same or any(sizes.setdefault(k, n) != n for k, n in zip(side, shape, strict=True)):
                raise ModelError(f"'{node.name}': the shapes {shapes} do not fit the labels {labels}")
        both = set(labels[0]) & set(labels[1])
        summed = {label for label in sizes if label >= outputs}
        numbered = 0 <= outputs <= len(sizes) and sorted(sizes) == list(range(len(sizes)))
        if not numbered or not summed <= both:
            raise ModelError(f"'{node.name}': the labels {labels} leave out an axis, or have it once")
        shape = tuple(sizes[label] for label in range(outputs))
        if len(shapes) == 3 and not broadcasts(shapes[2], shape):
            raise ModelError(f"'{node.name}': a bias {shapes[2]} does not fit an output {shape}")
        return shape

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Per output, the weights of either sign meet the input's opposite ends; exact below 2^52."""
        if not all(name in constants for name in node.inputs[1:]) or node.inputs[0] in constants:
            raise ModelError(f"'{node.name}': a linear map is of a computed tensor by constants")
        weight, bias = constants[node.inputs[1]].astype(np.float64), np.zeros(())
        if len(node.inputs) == 3:
            bias = constants[node.inputs[2]].astype(np.float64)
        map_ = _Labelled(integers(node, "right"), integer(node, "outputs"))
        lo, hi = intervals[0]
        largest = max(abs(lo), abs(hi))
        _, magnitude = _bounds(np.abs(weight), np.abs(bias), (largest, largest), map_)
        if not float(magnitude.max()) < LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': sums of a linear map must stay below 2^52")
        lowest, highest = _bounds(weight, bias, (lo, hi), map_)
        return int(lowest.min()), int(highest.max())

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Matrix products in float64; no further columns."""
        left, right = ([1 + label for label in integers(node, side)] for side in ("left", "right"))
        x = inputs[0].astype(np.float64)
        sums = sum_products(x, inputs[1], (0, *left), tuple(right), 1 + integer(node, "outputs"))
        if len(inputs) == 3:
            sums += inputs[2]
        accumulator: IntArray = sums.astype(np.int64)
        return Inference(accumulator, {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """One product of the input and the weight; the bias is a term of the result."""
        require_requantised(node, inputs[0])
        labels = integers(node, "left"), integers(node, "right")
        x = Reader(node.name, analysis.intervals, builder).aligned(node.inputs[0], inputs[0], inputs[0].shape)
        weight = node.inputs[1], analysis.shapes[node.inputs[1]]
        space, product = contract_with_weight(x, weight, labels, integer(node, "outputs"), builder)
        bounds, shape = analysis.intervals[node.output], analysis.shapes[node.output]
        result = Expression(shape, Affine(space, (), ()), (product,), bounds)
        if len(node.inputs) < 3:
            return result
        bias = repeated_weight(node.inputs[2], analysis.shapes[node.inputs[2]], result, builder)
        return replace(result, value=bias)


@dataclass(frozen=True)
class _Labelled:
    """The labels of a map's weight, and the number of the output's axes."""

    right: Labels
    outputs: int


def _bounds(
    weight: FloatArray, bias: FloatArray, interval: tuple[float, float], map_: _Labelled | FloatLinearMap
) -> tuple[FloatArray, FloatArray]:
    """The least and the largest values, which broadcast to the output's shape."""
    lo, hi = interval
    summed = tuple(axis for axis, label in enumerate(map_.right) if label >= map_.outputs)
    kept = tuple(label for label in map_.right if label < map_.outputs)
    positive, negative = (
        _laid_out(part.sum(axis=summed), kept, range(map_.outputs))
        for part in (np.maximum(weight, 0), np.minimum(weight, 0))
    )
    return positive * lo + negative * hi + bias, positive * hi + negative * lo + bias


def _laid_out(values: FloatArray, labels: Sequence[int], order: Sequence[int]) -> FloatArray:
    """An array whose axes have labels, with axes in another order.

    Those that it lacks get size 1. Those that the order lacks have size 1.
    """
    present = [label for label in order if label in labels]
    others = [label for label in labels if label not in order]
    moved = values.transpose([list(labels).index(label) for label in (*present, *others)])
    sizes = dict(zip(labels, values.shape, strict=True))
    return moved.reshape([sizes.get(label, 1) for label in order])
