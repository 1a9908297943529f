"""The summands of an accumulator: what each contributes to its real bounds, its rounding and its nodes.

With input integers X (real = s_x X) and an accumulator in units of u (real = u acc), a factor w becomes the
integer W = round(w s_x / u) and a bias b = round(v / u). Rounding moves each weight by an error uniform in
[-1/2, 1/2], of variance 1/12, so independent weights give the accumulator the error sqrt(sum_k E[X_k^2] /
12). A single multiplier's error is known exactly; it moves all elements together.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.importing.float_graph import FloatAveragePool, FloatConv, FloatDense
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.window import Window
from deepprove_dist.protocol.table import IntArray
from deepprove_dist.quantise.names import Names
from deepprove_dist.quantise.tensor import Tensor

# How exactly the divisors of an average that differ between places are held.
DIVISOR_PRECISION = 2**-9
LARGEST_NUMERATOR = 1024

# Of a multiplier whose unit is not chosen yet.
TYPICAL_ERROR = 0.25


@dataclass(frozen=True)
class Part:
    """A summand in integers: ``multiplier`` times a tensor, which the last of the nodes, if any, computes."""

    tensor: str
    multiplier: int
    nodes: tuple[Node, ...] = ()
    constants: Mapping[str, IntArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Summand(ABC):
    """A linear function of one quantised tensor, ``source``, that holds the float tensor ``reads``."""

    source: Tensor
    reads: str

    @property
    @abstractmethod
    def kind(self) -> str:
        """The integer operator that computes it."""

    @property
    def weight_shape(self) -> Shape:
        """Shape of the weights, () without any."""
        return ()

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest real value for inputs in range."""

    @abstractmethod
    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
        """Standard deviation of the error, in units of the accumulator, of rounding factors to ``unit``.

        Without a unit, what it is like for most. ``mean_square``: of the source's real elements. An element
        that calibration saw as (nearly) zero counts as one unit: its weights matter on other samples.
        """

    @abstractmethod
    def rounding_bound(self) -> float:
        """Largest change of the accumulator, in its units, that rounding can make."""

    @abstractmethod
    def part(self, unit: float, output: str, names: Names) -> Part:
        """Its integers for an accumulator in units of ``unit``; a node's output is called ``output``."""

    def _squares(self, mean_square: FloatArray) -> FloatArray:
        squares: FloatArray = np.maximum(
            np.square(np.sqrt(mean_square) / self.source.format.scale.array), 1.0
        )
        return squares

    def _largest(self) -> int:
        return max(-self.source.format.lo, self.source.format.hi)


@dataclass(frozen=True)
class Layer(Summand):
    """A dense layer or a convolution; its weights take up the scales of the channels that it reads."""

    layer: FloatDense | FloatConv

    @property
    def kind(self) -> str:
        """The layer's."""
        return "dense" if isinstance(self.layer, FloatDense) else "conv"

    @property
    def weight_shape(self) -> Shape:
        """The layer's."""
        return self.layer.weight.shape

    def bounds(self) -> tuple[float, float]:
        """Per output, the weights of either sign meet the input's opposite ends."""
        rows = self._weights.reshape(len(self._weights), -1)
        format = self.source.format
        positive = np.maximum(rows, 0).sum(axis=1)
        negative = np.minimum(rows, 0).sum(axis=1)
        lowest = positive * format.lo + negative * format.hi + self.layer.bias
        highest = positive * format.hi + negative * format.lo + self.layer.bias
        return float(lowest.min()), float(highest.max())

    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
        """That of independent weights, at the output where it is largest."""
        squares = self._squares(mean_square)
        if isinstance(self.layer, FloatDense):
            return sqrt(squares.sum(axis=-1).max() / 12)
        batch, channels, *spatial = squares.shape
        groups = self.layer.groups
        of_groups = squares.reshape(batch, groups, channels // groups, *spatial).sum(axis=2)
        return sqrt(_window_sums(of_groups, self.layer.window).max() / 12)

    def rounding_bound(self) -> float:
        """Every weight off by a half, and the bias too."""
        terms: int = prod(self.layer.weight.shape[1:])
        return (terms * self._largest() + 1) / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node with its weights, and a bias unless that is zero."""
        weight = in_units(self._weights, unit)
        bias = in_units(self.layer.bias, unit)
        constants = {names.fresh(f"{output}.weight"): weight}
        if bias.any():
            constants[names.fresh(f"{output}.bias")] = bias
        attributes: dict[str, Attribute] = {}
        if isinstance(self.layer, FloatConv):
            window = self.layer.window
            attributes = {
                "strides": window.strides,
                "pads": window.pads,
                "dilations": window.dilations,
                "groups": self.layer.groups,
            }
        node = Node(self.kind, self.layer.name, (self.source.name, *constants), output, attributes)
        return Part(output, 1, (node,), constants)

    @cached_property
    def _weights(self) -> FloatArray:
        """What each weight contributes for one unit of the input."""
        scale, weight = self.source.format.scale, np.asarray(self.layer.weight, dtype=np.float64)
        if scale.is_single:
            return weight * scale.number
        channels = scale.array.ravel()
        if isinstance(self.layer, FloatDense):
            return weight * channels
        groups, outputs = self.layer.groups, len(weight)
        rows = np.repeat(channels.reshape(groups, -1), outputs // groups, axis=0)
        scaled: FloatArray = weight * rows.reshape(*weight.shape[:2], *(1 for _ in weight.shape[2:]))
        return scaled


@dataclass(frozen=True)
class Diagonal(Summand):
    """A number times a tensor whose elements have scales of their own, brought to one."""

    coefficient: float
    name: str
    shape: Shape
    kind = "conv"

    @property
    def weight_shape(self) -> Shape:
        """One weight for each channel, or for each element where scales vary along other axes too."""
        return (self.shape[1] if self._channelwise else prod(self.shape), 1)

    def bounds(self) -> tuple[float, float]:
        """The ends of the source's range at its largest scale."""
        largest = self.coefficient * float(self.source.format.scale.array.max())
        ends = [largest * end for end in self.source.format.interval]
        return min(ends), max(ends)

    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
        """That of the largest element's weight."""
        return sqrt(self._squares(mean_square).max() / 12)

    def rounding_bound(self) -> float:
        """A weight that is off by a half."""
        return self._largest() / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A convolution over single positions, a group for each channel or element of the flat tensor."""
        (groups, _), scales = self.weight_shape, self.coefficient * self.source.format.scale.array
        spatial = len(self.shape) - 2 if self._channelwise else 0
        if not self._channelwise:
            scales = np.broadcast_to(scales, self.shape)
        weight = in_units(scales.reshape(groups, 1, *(1,) * spatial), unit)
        constant = names.fresh(f"{output}.weight")
        attributes: dict[str, Attribute] = {
            "strides": (1,) * spatial,
            "pads": (0, 0) * spatial,
            "dilations": (1,) * spatial,
            "groups": groups,
        }
        if self._channelwise:
            nodes = (Node("conv", self.name, (self.source.name, constant), output, attributes),)
            return Part(output, 1, nodes, {constant: weight})
        flat, scaled = names.fresh(f"{output}.flat"), names.fresh(f"{output}.scaled")
        return Part(
            output,
            1,
            (
                Node("reshape", self.name, (self.source.name,), flat, {"shape": (1, groups)}),
                Node("conv", self.name, (flat, constant), scaled, attributes),
                Node("reshape", self.name, (scaled,), output, {"shape": self.shape}),
            ),
            {constant: weight},
        )

    @property
    def _channelwise(self) -> bool:
        rank = len(self.shape)
        return 2 <= rank <= 4 and self.source.format.scale.varies_along(self.shape) == (1,)


@dataclass(frozen=True)
class Multiple(Summand):
    """A number times a tensor."""

    coefficient: float
    kind = "weighted_sum"

    def bounds(self) -> tuple[float, float]:
        """The ends of the source's range."""
        ends = [self.coefficient * self.source.format.unit * end for end in self.source.format.interval]
        return min(ends), max(ends)

    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
        """That of the multiplier, at the largest element."""
        off = TYPICAL_ERROR if unit is None else abs(self._multiplier(unit) - self._factor(unit))
        return off * sqrt(self._squares(mean_square).max())

    def rounding_bound(self) -> float:
        """A multiplier that is off by a half."""
        return self._largest() / 2

    def part(self, unit: float, output: str, names: Names) -> Part:
        """The tensor itself and its multiplier."""
        return Part(self.source.name, self._multiplier(unit))

    def _factor(self, unit: float) -> float:
        return self.coefficient * self.source.format.unit / unit

    def _multiplier(self, unit: float) -> int:
        return integer_of(self._factor(unit))


@dataclass(frozen=True)
class Average(Summand):
    """A number times an average pool."""

    coefficient: float
    pool: FloatAveragePool
    kind = "sum_pool"

    def bounds(self) -> tuple[float, float]:
        """A full window of either end, at the place with the smallest divisor."""
        share = max(1.0, prod(self.pool.window.kernel) / prod(map(min, self.pool.divisors)))
        scale = self.coefficient * self.source.format.unit * share
        ends = [scale * end for end in self.source.format.interval]
        return min(ends), max(ends)

    def rounding_error(self, mean_square: FloatArray, unit: float | None) -> float:
        """That of the common multiplier, for elements of a window that are alike."""
        off = TYPICAL_ERROR if unit is None else abs(self._multiplier(unit) - self._factor(unit))
        sums = _window_sums(np.sqrt(self._squares(mean_square)), self.pool.window)
        return off * self._largest_weight() * float(sums.max())

    def rounding_bound(self) -> float:
        """A common multiplier that is off by a half, and what the weights of places are off by."""
        return prod(self.pool.window.kernel) * self._largest() * self._largest_weight()

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node whose weights are in inverse proportion to the divisors."""
        window = self.pool.window
        first, *others = self._weights()
        weights = [self._multiplier(unit) * weight for weight in first]
        attributes: dict[str, Attribute] = {
            "kernel": window.kernel,
            "strides": window.strides,
            "pads": window.pads,
            "dilations": window.dilations,
            "places": tuple(map(len, self.pool.divisors)),
            "weights": (*weights, *(weight for axis in others for weight in axis)),
        }
        return Part(output, 1, (Node(self.kind, self.pool.name, (self.source.name,), output, attributes),))

    def _factor(self, unit: float) -> float:
        numerators = prod(map(_numerator, self.pool.divisors))
        return self.coefficient * self.source.format.unit / unit / numerators

    def _multiplier(self, unit: float) -> int:
        return integer_of(self._factor(unit))

    def _weights(self) -> list[tuple[int, ...]]:
        return [
            tuple(round(_numerator(divisors) / divisor) for divisor in divisors)
            for divisors in self.pool.divisors
        ]

    def _largest_weight(self) -> int:
        return prod(map(max, self._weights()))


def in_units(values: npt.NDArray[np.floating[Any]], unit: float) -> IntArray:
    """Reals as rounded multiples of a unit. Raises QuantisationError where they are beyond the field."""
    rounded = np.rint(np.asarray(values, dtype=np.float64) / unit)
    if not (np.abs(rounded) <= LARGEST_SIGNED).all():
        raise QuantisationError(
            f"in units of {unit:g}, numbers up to {np.abs(values).max():g} pass the field"
        )
    return rounded.astype(np.int64)


def integer_of(value: float) -> int:
    """A real rounded, halves to even. Raises QuantisationError where it is beyond the field."""
    return int(in_units(np.array(value), 1.0))


def _numerator(divisors: tuple[int, ...]) -> int:
    """The smallest integer whose quotients by all divisors are nearly whole."""

    def error(numerator: int) -> float:
        return max(abs(round(numerator / n) * n / numerator - 1) for n in set(divisors))

    candidates = range(1, LARGEST_NUMERATOR + 1)
    return next((n for n in candidates if error(n) <= DIVISOR_PRECISION), min(candidates, key=error))


def _window_sums(values: FloatArray, window: Window) -> FloatArray:
    view = window.view(values, 0.0)
    return view.sum(axis=tuple(range(view.ndim - window.rank, view.ndim))) if window.rank else view
