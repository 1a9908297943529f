"""Layers with constant weights: what dense layers and convolutions have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from math import prod, sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.narrow_integers import Integers, narrow
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.row_blocks import row_blocks
from deepprove_dist.operators.summand import Names, Part, Summand, in_units, whole

Reals = npt.NDArray[np.floating[Any]]


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
        format, ends = self.source.format, list[tuple[float, float]]()
        for rows, values in self._blocks():
            flat = values.reshape(len(values), -1)
            positive = np.maximum(flat, 0).sum(axis=1)
            negative = np.minimum(flat, 0).sum(axis=1)
            lowest = positive * format.lo + negative * format.hi + self._bias[rows]
            highest = positive * format.hi + negative * format.lo + self._bias[rows]
            ends.append((float(lowest.min()), float(highest.max())))
        return min(low for low, _ in ends), max(high for _, high in ends)

    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
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
        # All integers within the field fit 32 bits.
        weight: Integers = np.empty(self.weight_shape, dtype=np.int32)
        for rows, values in self._blocks():
            weight[rows] = in_units(values, unit)
        weight = narrow(weight)
        bias = in_units(self._bias, unit)
        constants = {names.fresh(f"{output}.weight"): weight}
        if bias.any():
            constants[names.fresh(f"{output}.bias")] = bias
        inputs = (self.source.name, *constants)
        node = Node(self.kind, self.layer.name, inputs, output, dict(self.layer.attributes))
        return Part(output, 1, (node,), constants)

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
            values = self.factor * np.asarray(self.layer.weight[rows], dtype=np.float64)
            if scale.is_single:
                yield rows, values * scale.number
            else:
                yield rows, values * (scales if len(scales) == 1 else scales[rows])


def along(values: FloatArray, shape: Shape, axis: int) -> FloatArray | None:
    """A constant that broadcasts to a shape, as a vector over one axis; None where it varies along others."""
    whole = values.reshape(*(1 for _ in range(len(shape) - values.ndim)), *values.shape)
    rows = np.moveaxis(whole, axis, -1).reshape(-1, whole.shape[axis])
    if (rows != rows[0]).any():
        return None
    return np.array(np.broadcast_to(rows[0], shape[axis : axis + 1]), dtype=np.float64)
