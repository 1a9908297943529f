"""The steps of a quantised model before its shifts are chosen: integer tensors with their formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from deepprove_dist.arrays import FloatArray
from deepprove_dist.operators.node_operator import NodesOperator
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.summand import Summand, whole
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.calibrate import Statistics

# How many units the smallest factor of a sum may be, for all factors to be whole ones.
MOST_PARTS = 4


@dataclass(frozen=True)
class Accumulation:
    """The sum of linear functions of quantised tensors and a constant, of ``elements`` elements.

    ``tensor``: the float tensor whose values it has.

    The constant is a number, or an array that is repeated along axes that it does not vary along.
    """

    name: str
    tensor: str
    summands: tuple[Summand, ...]
    constant: FloatArray
    elements: int

    def bounds(self) -> tuple[float, float]:
        """Smallest and largest real value for inputs in range."""
        ends = [summand.bounds() for summand in self.summands]
        lowest, highest = float(self.constant.min()), float(self.constant.max())
        return sum(low for low, _ in ends) + lowest, sum(high for _, high in ends) + highest

    def bounds_by_ranges(self) -> tuple[float, float]:
        """The same, as far as a verifier sees it."""
        ends = [summand.bounds_by_ranges() for summand in self.summands]
        lowest, highest = float(self.constant.min()), float(self.constant.max())
        return sum(low for low, _ in ends) + lowest, sum(high for _, high in ends) + highest

    def largest_span(self) -> float:
        """How far apart its value and what a verifier believes possible may be: less than p, in any unit."""
        (lowest, highest), (least, most) = self.bounds(), self.bounds_by_ranges()
        return max(highest - least, most - lowest)

    def rounding_error(self, statistics: Mapping[str, Statistics], unit: float | None) -> float:
        """Standard deviation of the error, in units of the accumulator, of rounding to units of ``unit``."""
        return self.rounding_errors(statistics)(unit)

    def rounding_errors(self, statistics: Mapping[str, Statistics]) -> Callable[[float | None], float]:
        """The same for any unit; what all units have in common is computed once."""
        squares = [statistics[summand.reads].mean_square for summand in self.summands]
        known = [
            summand.rounding_error(square, None) if summand.rounds_alike else None
            for summand, square in zip(self.summands, squares, strict=True)
        ]

        def error(unit: float | None) -> float:
            errors = (
                summand.rounding_error(square, unit) if alike is None else alike
                for summand, square, alike in zip(self.summands, squares, known, strict=True)
            )
            return sqrt(sum(error**2 for error in errors))

        return error

    def exact_unit(self) -> float | None:
        """A unit in which nothing is rounded; None where none is known."""
        units = [unit for summand in self.summands if (unit := summand.exact_unit)]
        if len(units) < len(self.summands):
            return None
        fractions = (min(units) / parts for parts in range(1, MOST_PARTS + 1))
        return next((unit for unit in fractions if self.is_exact(unit)), None)

    def is_exact(self, unit: float) -> bool:
        """Whether nothing is rounded in units of ``unit``."""
        return whole(self.constant / unit) and all(summand.is_exact(unit) for summand in self.summands)

    def rounding_bound(self) -> float:
        """Largest change of the accumulator, in its units, that rounding can make."""
        return sum(summand.rounding_bound() for summand in self.summands) + 0.5


@dataclass(frozen=True)
class LinearStep:
    """An accumulator, rescaled to quotients of the activation's unit and activated.

    ``exact``: the model states the format, so that results should be those that it means. ``scales``: what
    the sum's channels, along the last axis, are divided by.
    """

    sum: Accumulation
    target: QuantisedTensor
    activation: Activation
    exact: bool = False
    scales: FloatArray | None = None

    @cached_property
    def shared(self) -> Activation:
        """The activation in the form that is equal for steps that may share a table."""
        return self.activation.normalised(*self.sum.bounds())


@dataclass(frozen=True)
class PublicStep:
    """An accumulator that itself, in units of the target's scale, is an output of the model.

    The target's range is the one that its scale was chosen for; the accumulator's exact one lies within.
    """

    sum: Accumulation
    target: QuantisedTensor


@dataclass(frozen=True)
class TableStep:
    """An activation of a tensor that is already quantised, or its change to another format."""

    node: str
    source: QuantisedTensor
    target: QuantisedTensor
    activation: Activation


@dataclass(frozen=True)
class NodeStep:
    """A node with integer nodes of its own."""

    node: NodesOperator
    sources: tuple[QuantisedTensor, ...]
    target: QuantisedTensor


Step = LinearStep | PublicStep | TableStep | NodeStep
