"""Layers with constant weights: what dense layers and convolutions have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from math import prod, sqrt
from typing import ClassVar

import numpy as np

from deepprove_dist import kernels
from deepprove_dist.arrays import FloatArray, Reals, Shape
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.narrow_integers import Integers, narrow, narrowest_of
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.row_blocks import row_blocks
from deepprove_dist.operators.summand import (
    Names,
    Part,
    Summand,
    beyond_field,
    in_units,
    round_to_units,
    whole,
)


@dataclass(frozen=True)
class WeightSums:
    """Sums of a layer's weights, which every choice of formats asks for.

    Attributes:
        positive, negative: of the weights of either sign, for each output [outputs].
        squares: of all squared weights.
        largest: the largest magnitude of a weight.
    """

    positive: FloatArray
    negative: FloatArray
    squares: float
    largest: float

    @classmethod
    def of(cls, weight: Reals) -> WeightSums:
        """Of weights [outputs, ...], in one pass."""
        positive, negative, squares, largest = np.zeros(len(weight)), np.zeros(len(weight)), 0.0, 0.0
        for rows in row_blocks(weight.shape):
            values = weight[rows].reshape(rows.stop - rows.start, -1).astype(np.float64)
            magnitudes = np.abs(values)
            totals, sizes = values.sum(axis=1), magnitudes.sum(axis=1)
            positive[rows], negative[rows] = (sizes + totals) / 2, (totals - sizes) / 2
            squares += float(np.vdot(values, values))
            largest = max(largest, float(magnitudes.max()))
        return cls(positive, negative, squares, largest)


@dataclass(frozen=True)
class FloatLayer(LinearOperator):
    """Weights [outputs, ...] and a bias [outputs]; ``integer_name`` is the integer operator's.

    Weights are float64, or float32 as a file has them: they may be mapped from it, and take no memory then.
    """

    integer_name: ClassVar[str]
    weight: Reals
    bias: FloatArray

    @property
    def is_finite(self) -> bool:
        """Whether weights and bias are."""
        whole = all(np.isfinite(self.weight[rows]).all() for rows in row_blocks(self.weight.shape))
        return bool(whole and np.isfinite(self.bias).all())

    @cached_property
    def sums(self) -> WeightSums:
        """Of its weights."""
        return WeightSums.of(self.weight)

    def scaled(self, scale: FloatArray, shift: FloatArray, shape: Shape) -> FloatLayer | None:
        """Factors and shifts of the outputs go into weights and bias."""
        axis = self.channel_axis(len(shape))
        assert axis is not None, "a layer knows the axis of its outputs"
        factors, offsets = (along(values, shape, axis) for values in (scale, shift))
        if factors is None or offsets is None:
            return None
        weight = self.weight
        if (factors != 1).any():
            weight = weight * factors.reshape(-1, *(1 for _ in weight.shape[1:]))
        return replace(self, weight=weight, bias=self.bias * factors + offsets)

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """One, whose weights take up the scales of the channels that they read."""
        source = planner.planned_by_axis(self.input, self.read_axis(len(planner.shape(self.input))))
        return [LayerSummand(source, self.input, self, factor)], np.zeros(())

    @abstractmethod
    def read_axis(self, rank: int) -> int:
        """The axis of an input of this rank that the weights' second axis runs over."""

    @abstractmethod
    def scales_of_weights(self, scales: FloatArray) -> FloatArray:
        """The scale [channels] of the channel of the input that each weight reads.

        It broadcasts to the weights, and has as many rows as these or one.
        """

    @abstractmethod
    def largest_sum(self, values: FloatArray) -> float:
        """The largest sum of values, of the input's shape, over what one output reads."""

    @property
    @abstractmethod
    def attributes(self) -> Mapping[str, Attribute]:
        """The integer node's."""


@dataclass(frozen=True)
class LayerSummand(Summand):
    """``factor`` times a layer of the source."""

    layer: FloatLayer
    factor: float = 1.0

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
        # With a scale of 1 these are the weights as they are.
        constants = chain([self._bias], (values for _, values in self._blocks()))
        return (
            1.0 if all(whole(values) and (values == np.rint(values)).all() for values in constants) else None
        )

    def bounds(self) -> tuple[float, float]:
        """For each output, the weights of either sign meet the input's opposite ends."""
        return self._bounds

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        format = self.source.format
        positive, negative = self._signed_sums()
        lowest = positive * format.lo + negative * format.hi + self._bias
        highest = positive * format.hi + negative * format.lo + self._bias
        return float(lowest.min()), float(highest.max())

    def _signed_sums(self) -> tuple[FloatArray, FloatArray]:
        """For each output the sum of what weights of either sign contribute for one unit [outputs]."""
        if self._multiplier is not None:
            sums = self.layer.sums
            ends = self._multiplier * sums.positive, self._multiplier * sums.negative
            return ends if self._multiplier >= 0 else (ends[1], ends[0])
        positive, negative = np.zeros(len(self.layer.weight)), np.zeros(len(self.layer.weight))
        for rows, values in self._blocks():
            flat = values.reshape(len(values), -1)
            positive[rows] = np.maximum(flat, 0).sum(axis=1)
            negative[rows] = np.minimum(flat, 0).sum(axis=1)
        return positive, negative

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """That of independent weights, at the output where it is largest."""
        return sqrt(self.layer.largest_sum(self.squares(mean_square)) / 12)

    @property
    def rounds_alike(self) -> bool:
        """Whatever the unit is."""
        return True

    def noise(self) -> float:
        """That of sums with these weights."""
        return self._noise

    @cached_property
    def _noise(self) -> float:
        if self._multiplier is not None:
            total = self._multiplier**2 * self.layer.sums.squares
        else:
            total = sum(float(np.square(values).sum()) for _, values in self._blocks())
        return sqrt(total / len(self.layer.weight) / 12)

    def is_exact(self, unit: float) -> bool:
        """Whether weights and bias are integers."""
        # Weights that are no integers mostly show it at the first output.
        if not (whole(self._bias / unit) and whole(self._first / unit)):
            return False
        return all(whole(values / unit) for _, values in self._blocks())

    def rounding_bound(self) -> float:
        """Every weight off by a half, and the bias too."""
        terms: int = prod(self.layer.weight.shape[1:])
        return (terms * self.largest() + 1) / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node with its weights, and a bias unless that is zero."""
        weight = self._in_units(unit)
        bias = in_units(self._bias, unit)
        constants = {names.fresh(f"{output}.weight"): weight}
        if bias.any():
            constants[names.fresh(f"{output}.bias")] = bias
        inputs = (self.source.name, *constants)
        node = Node(self.kind, self.layer.name, inputs, output, dict(self.layer.attributes))
        return Part(output, 1, (node,), constants)

    def _in_units(self, unit: float) -> Integers:
        """The weights, rounded. Raises QuantisationError where they are beyond the field."""
        rounded: Integers = np.empty(self.weight_shape, dtype=self._type_in_units(unit))
        real, scale = self.layer.weight, self.source.format.scale
        if not scale.is_single or not real.flags.c_contiguous or not real.flags.aligned:
            for rows, values in self._blocks():
                round_to_units(values, unit)
                rounded[rows] = values
            return narrow(rounded)
        factors = self.factor, scale.number, unit
        lowest, highest = kernels.round_to_units(real.reshape(-1), factors, rounded.reshape(-1))
        # Both ends are NaN where any number is.
        if not (lowest >= -LARGEST_SIGNED and highest <= LARGEST_SIGNED):
            raise beyond_field(real.astype(np.float64) * self.factor * scale.number, unit)
        return rounded.astype(narrowest_of(int(lowest), int(highest)), copy=False)

    def _type_in_units(self, unit: float) -> str:
        """A type that holds all rounded weights: mostly the narrowest one."""
        if self._multiplier is None:
            # All integers within the field fit 32 bits.
            return "i4"
        largest = abs(self._multiplier) * self.layer.sums.largest / unit
        bound = int(min(largest, LARGEST_SIGNED)) + 1
        return narrowest_of(-bound, bound)

    @property
    def _multiplier(self) -> float | None:
        """What a weight contributes over its value; None where that differs from weight to weight."""
        scale = self.source.format.scale
        return self.factor * scale.number if scale.is_single else None

    @property
    def _bias(self) -> FloatArray:
        return self.factor * self.layer.bias

    @cached_property
    def _first(self) -> FloatArray:
        """What weights contribute to the first output."""
        ((_, values),) = self._values([slice(0, 1)])
        return values

    def _blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """What each weight contributes for one unit of the input, some outputs at a time.

        All of them in float64 would take several times the memory of a large model.
        """
        return self._values(row_blocks(self.weight_shape))

    def _values(self, slices: Iterable[slice]) -> Iterator[tuple[slice, FloatArray]]:
        scale, scales = self.source.format.scale, np.ones(0)
        if not scale.is_single:
            scales = self.layer.scales_of_weights(scale.array.ravel())
        for rows in slices:
            values = np.array(self.layer.weight[rows], dtype=np.float64)
            values *= self.factor
            if scale.is_single:
                values *= scale.number
            else:
                values *= scales if len(scales) == 1 else scales[rows]
            yield rows, values


def along(values: FloatArray, shape: Shape, axis: int) -> FloatArray | None:
    """A constant that broadcasts to a shape, as a vector over one axis; None where it varies along others."""
    whole = values.reshape(*(1 for _ in range(len(shape) - values.ndim)), *values.shape)
    rows = np.moveaxis(whole, axis, -1).reshape(-1, whole.shape[axis])
    if (rows != rows[0]).any():
        return None
    return np.array(np.broadcast_to(rows[0], shape[axis : axis + 1]), dtype=np.float64)
