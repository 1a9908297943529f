"""Average pooling, in integers a sum pool. With x_(o, i) the value that window o has at its position i:

    average:  y[c, o..] = (sum_{i..} x[c, o, i]) / product over axes of divisors_axis[o_axis]
    sum:    acc[c, o..] = (sum_{i..} x[c, o, i]) * product over axes of weights_axis[o_axis]

The input is zero outside its axes. An average is a sum whose weights are in inverse proportion to the number
of positions that count. Where that differs between windows, it is a product over axes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Reals, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.summand import TYPICAL_ERROR, Names, Part, Summand, integer_of, whole
from deepprove_dist.operators.window import Window, pooled_shape, read_window, window_attributes
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.table import Interval

# How exactly the divisors of an average that differ between windows are held.
DIVISOR_PRECISION = 2**-9
LARGEST_NUMERATOR = 1024


@dataclass(frozen=True)
class FloatAveragePool(LinearOperator):
    """``divisors``: for each spatial axis an integer for each position of the output."""

    window: Window
    divisors: tuple[tuple[int, ...], ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """[N, C, *spatial] to [N, C, *positions]."""
        batch, channels, *spatial = inputs[0]
        return (batch, channels, *self.window.output(tuple(spatial)))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Sums, divided."""
        divisors = np.meshgrid(*self.divisors, indexing="ij")
        view = self.window.view(inputs[0], 0.0)
        # One axis: numpy adds long rows more exactly than it adds several axes.
        sums = view.reshape(*view.shape[: view.ndim - self.window.rank], -1).sum(axis=-1)
        result: FloatArray = sums / np.prod(divisors, axis=0)
        return result

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """One, of the input with one scale."""
        return [Average(planner.planned_by_axis(self.input, None), self.input, factor, self)], np.zeros(())


@dataclass(frozen=True)
class Average(Summand):
    """A number times an average pool."""

    coefficient: float
    pool: FloatAveragePool
    kind = "sum_pool"
    keeps_unit = True

    def bounds(self) -> tuple[float, float]:
        """A full window of either end, where the divisor is smallest."""
        share = max(1.0, prod(self.pool.window.kernel) / prod(map(min, self.pool.divisors)))
        scale = self.coefficient * self.source.format.unit * share
        ends = [scale * end for end in self.source.format.interval]
        return min(ends), max(ends)

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """That of the common multiplier, for elements of a window that are alike."""
        off = TYPICAL_ERROR if unit is None else abs(self._multiplier(unit) - self._factor(unit))
        sums = self.pool.window.sums(np.sqrt(self.squares(mean_square)))
        return off * self._largest_weight() * float(sums.max())

    def noise(self) -> float:
        """That of a window's mean."""
        divisors = prod(float(np.mean(axis)) for axis in self.pool.divisors)
        unit = abs(self.coefficient) * self.source.format.unit
        return unit * sqrt(prod(self.pool.window.kernel) / 12) / divisors

    @property
    def exact_unit(self) -> float | None:
        """What one unit of the source adds, where each divisor divides the numerator."""
        even = all(_numerator(axis) % divisor == 0 for axis in self.pool.divisors for divisor in axis)
        return abs(self._factor(1.0)) if even else None

    def is_exact(self, unit: float) -> bool:
        """Whether the common multiplier is an integer."""
        return self.exact_unit is not None and whole(self._factor(unit))

    def rounding_bound(self) -> float:
        """A common multiplier that is off by a half, and what the weights of windows are off by."""
        return prod(self.pool.window.kernel) * self.largest() * self._largest_weight()

    def part(self, unit: float, output: str, names: Names) -> Part:
        """A node whose weights are in inverse proportion to the divisors."""
        window = self.pool.window
        first, *others = self._weights()
        weights = [self._multiplier(unit) * weight for weight in first]
        attributes = {
            **window_attributes(window),
            "kernel": window.kernel,
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


class SumPool(IntegerOperator):
    """Attributes: a window's, and two more.

    ``places`` is the output's size along each spatial axis. ``weights`` has an integer for each position of
    the first axis, then of the second.
    """

    name: ClassVar[str] = Average.kind
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {
        "kernel": tuple,
        "strides": tuple,
        "pads": tuple,
        "dilations": tuple,
        "places": tuple,
        "weights": tuple,
    }

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """x [N, C, *spatial] to [N, C, *positions]."""
        shape = pooled_shape(node, shapes[0])
        positions = shape[2:]
        if integers(node, "places") != positions or len(integers(node, "weights")) != sum(positions):
            raise ModelError(
                f"'{node.name}': its output has {positions} positions, each with a weight an axis"
            )
        return shape

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """A full window of either end of the input's interval, or of zeros outside, times every weight."""
        lo, hi = intervals[0]
        if any(integers(node, "pads")):
            lo, hi = min(lo, 0), max(hi, 0)
        # Extremes of a product of numbers from intervals lie at their ends.
        corners = {1}
        for weights in _weights(node):
            corners = {corner * end for corner in corners for end in (min(weights), max(weights))}
        count = prod(integers(node, "kernel"))
        ends = [corner * count * end for corner in corners for end in (lo, hi)]
        if max(map(abs, ends)) >= LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': sums of a pool must stay below 2^52")
        return min(ends), max(ends)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Window sums times weights; no further columns."""
        window = read_window(node, integers(node, "kernel"))
        sums: IntArray = window.view(inputs[0], 0).sum(axis=tuple(range(-window.rank, 0)), dtype=np.int64)
        for axis, weights in enumerate(_weights(node)):
            sums *= np.array(weights).reshape(-1, *(1 for _ in range(axis + 1, window.rank)))
        return Inference(sums, {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A sum over windows is linear: one map an axis, with its weights."""
        window = read_window(node, integers(node, "kernel"))
        positions = integers(node, "places")
        maps = [
            IndexMap(
                (2 + k,),
                0,
                positions[k],
                offset=-window.before(k),
                stride=window.strides[k],
                taps=taps,
                dilation=window.dilations[k],
                scale=weights,
            )
            for k, (taps, weights) in enumerate(zip(window.kernel, _weights(node), strict=True))
        ]
        value = Reader(node.name, analysis.intervals, builder).slide(node.inputs[0], inputs[0], maps).value
        return Expression((*inputs[0].shape[:2], *positions), value, (), (0, 0))


def _weights(node: Node) -> list[tuple[int, ...]]:
    """The weights of each axis."""
    remaining, result = integers(node, "weights"), []
    for positions in integers(node, "places"):
        result.append(remaining[:positions])
        remaining = remaining[positions:]
    return result


@cache
def _numerator(divisors: tuple[int, ...]) -> int:
    """The smallest integer whose quotients by all divisors are nearly whole."""

    def error(numerator: int) -> float:
        return max(abs(round(numerator / n) * n / numerator - 1) for n in set(divisors))

    candidates = range(1, LARGEST_NUMERATOR + 1)
    return next((n for n in candidates if error(n) <= DIVISOR_PRECISION), min(candidates, key=error))
