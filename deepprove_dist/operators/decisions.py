"""Decisions: y[m] = 1 where sum_k W[m, k] x[k] >= t[m], else 0, for constants W and t.

Outputs and inputs may be cut into groups, each of which sees its part of x alone. A tree is two such steps.
Each node compares a feature with a threshold, and a leaf is reached where all decisions on its path are met.

In integers a row has a unit u, and acc = sum_k round(W[m, k] s_k / u) X_k - round(t[m] / u). With one weight
in a row, u is such that it becomes 1 or -1. So the threshold is rounded as the input is. The decision is that
of the floats unless the value is within a step of it. Where all weights are multiples of one number, that is
u, and weights are exact. Then y = T(floor(acc / 2^s)) by requantisation, with 2^s above all |acc|, or s = 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray, Shape
from deepprove_dist.lowering.builder import LIMB_BITS
from deepprove_dist.operators.conv import Conv
from deepprove_dist.operators.dense import Dense
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.node_operator import NodesOperator
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.requantise import requantise_node, rounding
from deepprove_dist.operators.summand import Names, Part
from deepprove_dist.operators.window import single_positions, window_attributes
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table

# Bits of the largest sum of a row whose weights are rounded.
ROW_BITS = 27
# How far a multiple of a row's unit may be off, over its size: what float64 loses.
MULTIPLE = 1e-9
# Sums of at most so many bits are looked up as they are, whatever the number of rows.
FEW_BITS = 8


@dataclass(frozen=True)
class FloatDecisions(NodesOperator):
    """Weight [M, K / groups] and threshold [M], for an input [.., K]; of several groups, [1, K].

    ``strict``: a sum has to be above its threshold.
    """

    weight: FloatArray
    threshold: FloatArray
    groups: int = 1
    strict: bool = False

    @property
    def is_finite(self) -> bool:
        """Whether the constants are."""
        return bool(np.isfinite(self.weight).all() and np.isfinite(self.threshold).all())

    @property
    def has_thresholds(self) -> bool:
        """Yes."""
        return True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """[.., K] to [.., M]."""
        return (*inputs[0][:-1], len(self.weight))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Compares sums with thresholds."""
        compare = np.greater if self.strict else np.greater_equal
        return compare(self._sums(inputs[0]), self.threshold).astype(np.float64)

    def channel_axis(self, rank: int) -> int:
        """The last one."""
        return rank - 1

    def takes_scales(self, axis: int, rank: int) -> bool:
        """Along the last axis."""
        return axis == rank - 1

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """Bits, and a function of them where one is wanted."""
        if form.function != IDENTITY:
            bits = planner.planned_output(self, HIDDEN, Reference(self.output))
            return planner.activated(self.name, bits, self.output, form, reference)
        source = planner.planned_by_axis(self.input, len(planner.shape(self.input)) - 1)
        return planner.computed(self, [source], Format(Scale.of(1.0), 0, 1), form, reference)

    def integer_part(
        self, sources: Sequence[QuantisedTensor], output: str, intervals: Sequence[Interval], names: Names
    ) -> Part:
        """A layer of weights with thresholds as its bias, and its sign."""
        weight, threshold = self._integers(sources[0].format, intervals[0])
        bits = _bits(weight, intervals[0])
        shift, limbs, table = _sign(bits, len(weight))
        constants = {
            names.fresh(f"{output}.weight"): weight,
            names.fresh(f"{output}.bias"): -threshold - rounding(shift),
        }
        sums = names.fresh(f"{output}.sums")
        inputs = (sources[0].name, *constants)
        layer = Node(self._integer_operator, self.name, inputs, sums, self._attributes)
        sign = requantise_node(self.name, sums, output, shift, table, limbs)
        return Part(output, 1, (layer, sign), constants)

    def _sums(self, values: FloatArray) -> FloatArray:
        blocks = self.weight.reshape(self.groups, -1, self.weight.shape[1])
        parts = values.reshape(*values.shape[:-1], self.groups, -1, 1)
        sums: FloatArray = (blocks @ parts).reshape(*values.shape[:-1], -1)
        return sums

    @property
    def _integer_operator(self) -> str:
        return Dense.name if self.groups == 1 else Conv.name

    @property
    def _attributes(self) -> Mapping[str, Attribute]:
        return {} if self.groups == 1 else {**window_attributes(single_positions(0)), "groups": self.groups}

    def _integers(self, format: Format, interval: Interval) -> tuple[IntArray, IntArray]:
        """Weights, and thresholds that are no further than one beyond what sums reach."""
        weight = self._scaled(format)
        magnitudes = np.abs(weight)
        least = np.where(magnitudes > 0, magnitudes, np.inf).min(axis=1)
        unit = np.where(np.isfinite(least), least, 1.0)
        multiples = weight / unit[:, None]
        largest = max(map(abs, interval)) or 1
        exact = (np.abs(multiples - np.rint(multiples)) <= MULTIPLE * np.abs(multiples)).all(axis=1)
        exact &= np.abs(multiples).sum(axis=1) * largest < 2**ROW_BITS
        unit = np.where(exact, unit, magnitudes.sum(axis=1) * largest / 2**ROW_BITS)
        rows = np.rint(weight / unit[:, None]).astype(np.int64)
        threshold = self.threshold / unit
        # A number that is rounded is compared with a threshold that is rounded likewise. What has the scale 1
        # is a whole number. For it, as for sums, the least integer that is large enough counts.
        single = (magnitudes > 0).sum(axis=1) == 1
        single &= (weight != self.weight).any(axis=1)
        slack = MULTIPLE * np.abs(threshold)
        least_enough = np.floor(threshold + slack) + 1 if self.strict else np.ceil(threshold - slack)
        lowest, highest = _reach(rows, interval)
        rounded = np.clip(
            np.where(single, np.rint(threshold) + self.strict, least_enough), lowest, highest + 1
        )
        return rows, rounded.astype(np.int64)

    def _scaled(self, format: Format) -> FloatArray:
        """What each weight contributes for one unit of the input."""
        if format.scale.is_single:
            return self.weight * format.scale.number
        scales = format.scale.array.reshape(self.groups, 1, -1)
        blocks = self.weight.reshape(self.groups, -1, self.weight.shape[1]) * scales
        return blocks.reshape(self.weight.shape)


def _reach(weight: IntArray, interval: Interval) -> tuple[IntArray, IntArray]:
    """The least and the largest sum of each row."""
    low, high = interval
    positive, negative = (part.sum(axis=1) for part in (np.maximum(weight, 0), np.minimum(weight, 0)))
    return positive * low + negative * high, positive * high + negative * low


def _bits(weight: IntArray, interval: Interval) -> int:
    """The least b with -2^b <= sum - t < 2^b, for thresholds t wherever they may be."""
    lowest, highest = _reach(weight, interval)
    return max(1, int((highest - lowest).max()).bit_length())


def _sign(bits: int, rows: int) -> tuple[int, tuple[int, ...], Table]:
    """Shift, limbs and table of y = 1 for 0 and more. A table of all sums saves limbs, where it is small."""
    if bits <= FEW_BITS or (bits <= LIMB_BITS and 2**bits <= rows):
        return 0, (), Table.from_values(-(2**bits), np.repeat([0, 1], 2**bits))
    count = -(-bits // LIMB_BITS)
    width = -(-bits // count)
    limbs = (width,) * (count - 1) + (bits - width * (count - 1),)
    return bits, limbs, Table.from_values(-1, np.array([0, 1]))
