"""How many bits tensors get beyond those of all: until their rounding is lost in the sums that read them.

A tensor of b bits, rounded, gives a sum that reads it an error in proportion to 2^-b. Where the tensor
reaches far beyond what the sum varies by, that is much. But the field holds a sum's largest possible value.
So its weights are rounded to units in proportion to 2^b, and their error grows. Both together move the sum,
and what a function makes of it: a square root of small values by much. What counts is that error over the
spread of the function's values. The worst of the sums that read the tensor decides.

Only tensors that sums alone read get other bits, and what an operator takes in more (`most_bits`). Tables and
maxima take tensors as they are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import sqrt

import numpy as np

from deepprove_dist.arrays import FloatArray, Reals
from deepprove_dist.field import MODULUS
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.pointwise import IDENTITY, Function, evaluate
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.summand import Summand
from deepprove_dist.quantise.activation_bits import LEAST
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.steps import LinearStep, NodeStep, PublicStep, Step, TableStep

FEWER, MORE = 2, 12
"""How far a tensor's bits may be from those of all."""

EXAMINED = 2**11
"""Values of a sum at which a function is examined."""

TOLERATED = 2.0
"""The error over the spread that is not worth more bits, times 2^bits: what most tensors have."""


@dataclass(frozen=True)
class _Reading:
    """A sum that reads a tensor: its errors in reals, from rounding the tensor and its weights.

    ``rounding`` computes the latter where it is asked for. ``spread``: of what ``function`` makes of the sum,
    of which ``elements`` are some values. ``steep``: a node takes that function of the sum's exact value,
    since it may be steep. ``most``: the bits that the reader takes, 0 where it takes any.
    """

    noise: float
    rounding: Callable[[], float]
    function: Function
    elements: FloatArray
    spread: float
    steep: bool = False
    most: int = 0

    def error(self, more: int) -> float:
        """Of the function's values over their spread, with so many more bits."""
        off = sqrt((self.noise / 2.0**more) ** 2 + (self._of_weights * 2.0**more) ** 2)
        if self.function == IDENTITY:
            return off / self.spread
        above, below = (evaluate(self.function, self.elements + sign * off) for sign in (1, -1))
        defined = np.isfinite(above) & np.isfinite(below)
        moved = above[defined] - below[defined]
        return float(np.sqrt(np.square(moved).mean())) / 2 / self.spread if moved.size else 0.0

    @cached_property
    def _of_weights(self) -> float:
        return self.rounding()


def choose_widths(
    steps: Sequence[Step], statistics: Mapping[str, Statistics], bits: int
) -> Mapping[str, int]:
    """Of a model planned with ``bits`` everywhere: by integer tensor, the bits where they should be others.

    The fewest bits that activations may have are for speed. With them only what is under a function that may
    be steep gets more.
    """
    widths = {}
    for tensor, readings in _read_by_sums_alone(steps, statistics).items():
        if bits == LEAST and not any(reading.steep for reading in readings):
            continue
        most = min((reading.most for reading in readings if reading.most), default=bits + MORE)
        more = _more_bits(readings, TOLERATED / 2**bits, most - bits)
        if more:
            widths[tensor] = bits + more
    return widths


def _more_bits(readings: Sequence[_Reading], tolerated: float, most: int) -> int:
    """The fewest more bits that bring the worst error down to what is tolerated, or as near as can be."""

    def worst(more: int) -> float:
        return max(reading.error(more) for reading in readings)

    enough = (more for more in range(most + 1) if worst(more) <= tolerated)
    return next(enough, min(range(-FEWER, most + 1), key=worst))


def _read_by_sums_alone(
    steps: Sequence[Step], statistics: Mapping[str, Statistics]
) -> Mapping[str, Sequence[_Reading]]:
    """The readings of each tensor that a sum's rescaling gives, as it is or moved, and nothing else reads."""
    functions = _functions_after(steps)
    origins = {step.target.name: step.target.name for step in steps if isinstance(step, LinearStep)}
    readings, others = defaultdict[str, list[_Reading]](list), set[str]()
    for step in steps:
        if isinstance(step, NodeStep):
            read = [origins.get(source.name, "") for source in step.sources]
            if isinstance(step.node, MovingOperator) and len(read) == 1:
                origins[step.target.name] = read[0]
            elif step.node.most_bits:
                for source, tensor in zip(step.sources, read, strict=True):
                    readings[tensor].append(_direct_reading(step.node.most_bits, source, statistics))
            else:
                others.update(read)
        elif isinstance(step, TableStep):
            others.add(origins.get(step.source.name, ""))
        else:
            for tensor, reading in _readings(step, functions.get(step.target.name), statistics):
                readings[origins.get(tensor, "")].append(reading)
    return {tensor: sums for tensor, sums in readings.items() if tensor and tensor not in others}


def _direct_reading(most: int, source: QuantisedTensor, statistics: Mapping[str, Statistics]) -> _Reading:
    """That of an operator that takes a tensor in so many bits: what is seen is its rounding alone."""
    known = statistics[source.reference] if source.reference else None
    spread = known.spread if known is not None and known.spread else 1.0
    noise = source.format.unit / sqrt(12) if known is not None else 0.0
    return _Reading(noise, lambda: 0.0, IDENTITY, np.zeros(0), spread, most=most)


def _functions_after(steps: Sequence[Step]) -> Mapping[str, Function]:
    """The steep function that a node takes of each value of a sum, by the sum's tensor."""
    functions: dict[str, Function] = {}
    for step in reversed(steps):
        if isinstance(step, NodeStep):
            moves = isinstance(step.node, MovingOperator)
            after = functions.get(step.target.name, IDENTITY) if moves else step.node.of_each
            if after != IDENTITY:
                functions |= {source.name: after for source in step.sources}
    return functions


def _readings(
    step: LinearStep | PublicStep, after: Function | None, statistics: Mapping[str, Statistics]
) -> Iterator[tuple[str, _Reading]]:
    function = step.activation.function if isinstance(step, LinearStep) else after or IDENTITY
    known = statistics[step.sum.tensor]
    if isinstance(step, LinearStep) and step.scales is not None:
        known = known.divided(step.scales)
    elements = known.elements[:: max(1, len(known.elements) // EXAMINED)]
    values = evaluate(function, elements)
    values = values[np.isfinite(values)]
    spread = known.spread if function == IDENTITY else float(values.std()) if values.size else 0.0
    if spread == 0:
        return
    lowest, highest = step.sum.bounds()
    # Whole factors are not rounded.
    finest = 0.0 if step.sum.exact_unit() is not None else (highest - lowest) / MODULUS
    for summand in step.sum.summands:
        rounding = partial(_rounding_error, summand, statistics[summand.reads].mean_square, finest)
        reading = _Reading(summand.noise(), rounding, function, elements, spread, steep=after is not None)
        yield summand.source.name, reading


def _rounding_error(summand: Summand, squares: Reals, finest: float) -> float:
    """That of weights in units of ``finest``, for values of one size everywhere."""
    return finest and finest * summand.rounding_error(np.full_like(squares, squares.mean()), None)
