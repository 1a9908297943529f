"""A number times a tensor, as a summand of an accumulator."""

from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar

import numpy as np

from deepprove_dist.arrays import Reals, Shape
from deepprove_dist.operators.conv import MAX_SPATIAL_AXES, scaling_node
from deepprove_dist.operators.linear_map import FloatLinearMap, MapSummand
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.reshape import reshape_node
from deepprove_dist.operators.summand import TYPICAL_ERROR, Names, Part, Summand, in_units, integer_of, whole
from deepprove_dist.protocol.system.table import Interval


def multiple(source: QuantisedTensor, name: str, coefficient: float, node: str, shape: Shape) -> Summand:
    """A number times a tensor that holds the float tensor ``name`` of this shape, for a node."""
    if source.format.scale.is_single:
        return Multiple(source, name, coefficient)
    if len(shape) > 2 and source.format.scale.varies_along(shape) == (len(shape) - 1,):
        axes = tuple(range(len(shape)))
        weight = np.full(shape[-1:], coefficient)
        gain = FloatLinearMap(node, (name,), "", weight, np.zeros(()), axes, axes[-1:], len(shape))
        return MapSummand(source, name, gain)
    return ScaledMultiple(source, name, coefficient, node, shape)


@dataclass(frozen=True)
class Multiple(Summand):
    """A number times a tensor with one scale."""

    coefficient: float
    kind: ClassVar[str] = "weighted_sum"

    @property
    def step(self) -> float:
        """The number times the source's unit."""
        return abs(self.coefficient) * self.source.format.unit

    def bounds(self) -> tuple[float, float]:
        """The ends of the source's range."""
        return self._reals(self.source.format.interval)

    def bounds_by_ranges(self) -> tuple[float, float]:
        """Those of the source's, as a verifier sees it."""
        return self._reals(self.source.by_ranges or self.source.format.interval)

    def _reals(self, interval: Interval) -> tuple[float, float]:
        ends = [self.coefficient * self.source.format.unit * end for end in interval]
        return min(ends), max(ends)

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """That of the multiplier, at the largest element."""
        off = TYPICAL_ERROR if unit is None else abs(self._multiplier(unit) - self._factor(unit))
        return off * sqrt(self.largest_square(mean_square))

    def noise(self) -> float:
        """The number times that of the source."""
        return abs(self._factor(1.0)) / sqrt(12)

    @property
    def exact_unit(self) -> float:
        """What one unit of the source adds."""
        return abs(self._factor(1.0))

    def is_exact(self, unit: float) -> bool:
        """Whether the multiplier is an integer."""
        return whole(self._factor(unit))

    def rounding_bound(self) -> float:
        """A multiplier that is off by a half."""
        return self.largest() / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """The tensor itself and its multiplier."""
        return Part(self.source.name, self._multiplier(unit))

    def _factor(self, unit: float) -> float:
        return self.coefficient * self.source.format.unit / unit

    def _multiplier(self, unit: float) -> int:
        return integer_of(self._factor(unit))


@dataclass(frozen=True)
class ScaledMultiple(Summand):
    """A number times a tensor whose elements have scales of their own, brought to one."""

    coefficient: float
    name: str
    shape: Shape
    kind: ClassVar[str] = "conv"

    @property
    def weight_shape(self) -> Shape:
        """One weight for each channel, or for each element where scales vary along other axes too."""
        return (self.shape[1] if self._channelwise else prod(self.shape), 1)

    def bounds(self) -> tuple[float, float]:
        """The ends of the source's range at its largest scale."""
        largest = self.coefficient * float(self.source.format.scale.array.max())
        ends = [largest * end for end in self.source.format.interval]
        return min(ends), max(ends)

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """That of the largest element's weight."""
        return sqrt(self.largest_square(mean_square) / 12)

    @property
    def rounds_alike(self) -> bool:
        """Whatever the unit is."""
        return True

    def noise(self) -> float:
        """The number times that of the source's elements."""
        return abs(self.coefficient) * sqrt(float(np.square(self.source.format.scale.array).mean()) / 12)

    def is_exact(self, unit: float) -> bool:
        """Whether all weights are integers."""
        return whole(self.coefficient * self.source.format.scale.array / unit)

    def rounding_bound(self) -> float:
        """A weight that is off by a half."""
        return self.largest() / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A convolution over single positions, a group for each channel or element of the flat tensor."""
        (groups, _), scales = self.weight_shape, self.coefficient * self.source.format.scale.array
        spatial = len(self.shape) - 2 if self._channelwise else 0
        if not self._channelwise:
            scales = np.broadcast_to(scales, self.shape)
        weight = in_units(scales.reshape(groups, 1, *(1,) * spatial), unit)
        constant = names.fresh(f"{output}.weight")
        if self._channelwise:
            node = scaling_node(self.name, self.source.name, constant, output, weight.shape)
            return Part(output, 1, (node,), {constant: weight})
        flat, scaled = names.fresh(f"{output}.flat"), names.fresh(f"{output}.scaled")
        nodes = (
            reshape_node(self.name, self.source.name, flat, (1, groups)),
            scaling_node(self.name, flat, constant, scaled, weight.shape),
            reshape_node(self.name, scaled, output, self.shape),
        )
        return Part(output, 1, nodes, {constant: weight})

    @property
    def _channelwise(self) -> bool:
        is_image = 2 <= len(self.shape) <= 2 + MAX_SPATIAL_AXES and self.shape[0] == 1
        return is_image and self.source.format.scale.varies_along(self.shape) == (1,)
