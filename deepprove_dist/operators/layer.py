"""Layers with constant weights: what dense layers and convolutions have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod, sqrt
from typing import ClassVar

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.summand import Names, Part, Summand, in_units, whole


@dataclass(frozen=True)
class FloatLayer(LinearOperator):
    """Weights [outputs, ...] and a bias [outputs]; ``integer_name`` is the integer operator's."""

    integer_name: ClassVar[str]
    weight: FloatArray
    bias: FloatArray

    @property
    def is_finite(self) -> bool:
        """Whether weights and bias are."""
        return bool(np.isfinite(self.weight).all() and np.isfinite(self.bias).all())

    def scaled(self, scale: FloatArray, shift: FloatArray, shape: Shape) -> FloatLayer | None:
        """Factors and shifts of the outputs go into weights and bias."""
        axis = self.channel_axis(len(shape))
        assert axis is not None, "a layer knows the axis of its outputs"
        factors, offsets = (along(values, shape, axis) for values in (scale, shift))
        if factors is None or offsets is None:
            return None
        rows = factors.reshape(-1, *(1 for _ in self.weight.shape[1:]))
        return replace(self, weight=self.weight * rows, bias=self.bias * factors + offsets)

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """One, whose weights take up the scales of the channels that they read."""
        source = planner.planned_by_axis(self.input, self.read_axis(len(planner.shape(self.input))))
        layer = replace(self, weight=factor * self.weight, bias=factor * self.bias)
        return [LayerSummand(source, self.input, layer)], np.zeros(())

    @abstractmethod
    def read_axis(self, rank: int) -> int:
        """The axis of an input of this rank that the weights' second axis runs over."""

    @abstractmethod
    def with_scales(self, scales: FloatArray) -> FloatArray:
        """The weights, each times the scale [channels] of the channel of the input that it reads."""

    @abstractmethod
    def largest_sum(self, values: FloatArray) -> float:
        """The largest sum of values, of the input's shape, over what one output reads."""

    @property
    @abstractmethod
    def attributes(self) -> Mapping[str, Attribute]:
        """The integer node's."""


@dataclass(frozen=True)
class LayerSummand(Summand):
    """A layer of the source."""

    layer: FloatLayer

    @property
    def kind(self) -> str:
        """The layer's."""
        return self.layer.integer_name

    @property
    def weight_shape(self) -> Shape:
        """The layer's."""
        return self.layer.weight.shape

    @property
    def step(self) -> float | None:
        """1, where integers of scale 1 meet whole weights and biases."""
        if not self.source.format.scale.is_single or self.source.format.unit != 1.0:
            return None
        constants = (self.layer.weight, self.layer.bias)
        return 1.0 if all((values == np.rint(values)).all() for values in constants) else None

    def bounds(self) -> tuple[float, float]:
        """For each output, the weights of either sign meet the input's opposite ends."""
        rows = self._weights.reshape(len(self._weights), -1)
        format = self.source.format
        positive = np.maximum(rows, 0).sum(axis=1)
        negative = np.minimum(rows, 0).sum(axis=1)
        lowest = positive * format.lo + negative * format.hi + self.layer.bias
        highest = positive * format.hi + negative * format.lo + self.layer.bias
        return float(lowest.min()), float(highest.max())

    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
        """That of independent weights, at the output where it is largest."""
        return sqrt(self.layer.largest_sum(self.squares(mean_square)) / 12)

    def noise(self) -> float:
        """That of sums with these weights."""
        return sqrt(float(np.square(self._weights).sum()) / len(self._weights) / 12)

    def is_exact(self, unit: float) -> bool:
        """Whether weights and bias are integers."""
        return whole(self._weights / unit) and whole(self.layer.bias / unit)

    def rounding_bound(self) -> float:
        """Every weight off by a half, and the bias too."""
        terms: int = prod(self.layer.weight.shape[1:])
        return (terms * self.largest() + 1) / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node with its weights, and a bias unless that is zero."""
        weight = in_units(self._weights, unit)
        bias = in_units(self.layer.bias, unit)
        constants = {names.fresh(f"{output}.weight"): weight}
        if bias.any():
            constants[names.fresh(f"{output}.bias")] = bias
        inputs = (self.source.name, *constants)
        node = Node(self.kind, self.layer.name, inputs, output, dict(self.layer.attributes))
        return Part(output, 1, (node,), constants)

    @cached_property
    def _weights(self) -> FloatArray:
        """What each weight contributes for one unit of the input."""
        scale = self.source.format.scale
        if scale.is_single:
            return np.asarray(self.layer.weight, dtype=np.float64) * scale.number
        return self.layer.with_scales(scale.array.ravel())


def along(values: FloatArray, shape: Shape, axis: int) -> FloatArray | None:
    """A constant that broadcasts to a shape, as a vector over one axis; None where it varies along others."""
    whole = values.reshape(*(1 for _ in range(len(shape) - values.ndim)), *values.shape)
    rows = np.moveaxis(whole, axis, -1).reshape(-1, whole.shape[axis])
    if (rows != rows[0]).any():
        return None
    return np.array(np.broadcast_to(rows[0], shape[axis : axis + 1]), dtype=np.float64)
