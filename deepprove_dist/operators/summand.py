"""The summands of an accumulator: what each contributes to its real bounds, its rounding and its nodes.

With input integers X (real = s_x X) and an accumulator in units of u (real = u acc), a factor w becomes the
integer W = round(w s_x / u) and a bias b = round(v / u). Rounding moves each weight by an error uniform in
[-1/2, 1/2], of variance 1/12. So independent weights give the accumulator the error
sqrt(sum_k E[X_k^2] / 12). A single multiplier's error is known exactly; it moves all elements together.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Reals, Shape
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor

# Of a multiplier whose unit is not chosen yet.
TYPICAL_ERROR = 0.25

# How far from an integer a number counts as one, over its size.
WHOLE = 2.0**-22

FIRST = 1024
"""Of many numbers, those that are looked at before the others."""


class Names(Protocol):
    """Names for new tensors."""

    def fresh(self, preferred: str) -> str:
        """A name that no other tensor has: the preferred one, or with a number after it."""


@dataclass(frozen=True)
class Part:
    """A summand in integers: ``multiplier`` times a tensor, which the last of the nodes, if any, computes."""

    tensor: str
    multiplier: int
    nodes: tuple[Node, ...] = ()
    constants: Mapping[str, Integers] = field(default_factory=dict)


@dataclass(frozen=True)
class Summand(ABC):
    """A linear function of one quantised tensor, ``source``, that holds the float tensor ``reads``."""

    source: QuantisedTensor
    reads: str

    @property
    @abstractmethod
    def kind(self) -> str:
        """The integer operator that computes it."""

    @property
    def weight_shape(self) -> Shape:
        """Shape of the weights, () without any."""
        return ()

    @property
    def keeps_unit(self) -> bool:
        """Whether a result in the source's unit, or half or quarter of it, needs no rounded factors."""
        return False

    @property
    def step(self) -> float | None:
        """What all its values are multiples of, exactly: 0 where they are 0. None where that is not known."""
        return None

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest real value for inputs in range."""

    def bounds_by_ranges(self) -> tuple[float, float]:
        """The same, as far as a verifier sees it: nothing may wrap by these."""
        return self.bounds()

    @abstractmethod
    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """Standard deviation of the error, in units of the accumulator, of rounding factors to ``unit``.

        Without a unit, what it is like for most. ``mean_square``: of the source's real elements. An element
        that calibration saw as (nearly) zero counts as one unit: its weights matter on other samples.
        """

    @property
    def rounds_alike(self) -> bool:
        """Whether ``rounding_error`` is the same for every unit: that of many factors, on average."""
        return False

    @abstractmethod
    def noise(self) -> float:
        """Standard deviation of the error, in reals, that rounding the source to its steps gives the sum.

        Of elements whose roundings are independent: the root of the mean square over the sum's elements.
        """

    @property
    def exact_unit(self) -> float | None:
        """The largest unit in which no factor is rounded; None where that is not known."""
        return None

    def is_exact(self, unit: float) -> bool:
        """Whether it is known that no factor is rounded in units of ``unit``."""
        return False

    @abstractmethod
    def rounding_bound(self) -> float:
        """Largest change of the accumulator, in its units, that rounding can make."""

    @abstractmethod
    def part(self, unit: float, output: str, names: Names) -> Part:
        """Its integers for an accumulator in units of ``unit``; a node's output is called ``output``."""

    def squares(self, mean_square: Reals) -> FloatArray:
        """Mean squares of the source's integers, 1 at least."""
        squares: FloatArray = np.asarray(np.sqrt(mean_square) / self.source.format.scale.array)
        np.square(squares, out=squares)
        np.maximum(squares, 1.0, out=squares)
        return squares

    def largest_square(self, mean_square: Reals) -> float:
        """The largest of them."""
        scale = self.source.format.scale
        if not scale.is_single:
            return float(self.squares(mean_square).max())
        return max((sqrt(float(mean_square.max())) / scale.number) ** 2, 1.0)

    def largest(self) -> int:
        """The largest magnitude of the source's integers."""
        return max(-self.source.format.lo, self.source.format.hi)


def whole(values: npt.ArrayLike) -> bool:
    """Whether numbers are integers, up to what float32 leaves of a product of two of its numbers."""
    numbers = np.asarray(values, dtype=np.float64)
    # Of many numbers that are no integers the first ones mostly show it.
    if numbers.size > 2 * FIRST and not whole(numbers.flat[:FIRST]):
        return False
    off = np.abs(numbers - np.rint(numbers))
    return bool((off <= WHOLE * np.maximum(1.0, np.abs(numbers))).all())


def in_units(values: npt.NDArray[np.floating[Any]], unit: float) -> IntArray:
    """Reals as rounded multiples of a unit. Raises QuantisationError where they are beyond the field."""
    rounded = np.array(values, dtype=np.float64)
    round_to_units(rounded, unit)
    return rounded.astype(np.int64)


def round_to_units(values: FloatArray, unit: float) -> None:
    """Makes rounded multiples of a unit of reals, in place. Raises as `in_units` does."""
    values /= unit
    np.rint(values, out=values)
    # Both ends are NaN where any number is.
    within = not values.size or (values.min() >= -LARGEST_SIGNED and values.max() <= LARGEST_SIGNED)
    if not within:
        raise beyond_field(values * unit, unit)


def beyond_field(values: FloatArray, unit: float) -> QuantisationError:
    """The error for numbers that are too large in a unit."""
    return QuantisationError(f"in units of {unit:g}, numbers up to {np.abs(values).max():g} pass the field")


def integer_of(value: float) -> int:
    """A real rounded, halves to even. Raises QuantisationError where it is beyond the field."""
    return int(in_units(np.array(value), 1.0))
