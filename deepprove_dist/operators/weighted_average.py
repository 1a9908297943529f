"""Averages: products of weights that add up to one, and of values, as attention has them.

It is a contraction whose weights w are the rows of a softmax. Of N integers none is negative, and they add
up to K + N / 2 at most, since each is rounded by 1/2 at most. So with values in [lo, hi], lo <= 0 <= hi,

    (K + N / 2) lo  <=  sum_k w_k v_k  <=  (K + N / 2) hi,

where the weights' range alone would give N K in place of K + N / 2. The table that rescales a sum is shorter
by as much, and its steps are finer. A verifier's ranges are those of a contraction: nothing may wrap modulo p
by these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.contract import Labels
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.contraction import Contraction, read_labels
from deepprove_dist.operators.integer_operator import Constants
from deepprove_dist.operators.linear import LARGEST_EXACT_SUM
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.row_sums import known_row_sum
from deepprove_dist.protocol.system.table import Interval


class WeightedAverage(Contraction):
    """Attributes of a contraction, and ``row_sum``: what weights, the first input, add up to at most.

    That is over their last axis, which is summed over.
    """

    name: ClassVar[str] = "weighted_average"
    attributes: ClassVar[Mapping[str, type]] = {**Contraction.attributes, "row_sum": int}

    def check_sources(self, node: Node, producers: Mapping[str, Node], shapes: Mapping[str, Shape]) -> None:
        """The nodes before it say that weights add up to no more: see `row_sums`."""
        known = known_row_sum(node.inputs[0], producers, shapes)
        if known is None or known > integer(node, "row_sum"):
            raise ModelError(
                f"'{node.name}': nothing says that rows of '{node.inputs[0]}' add up to so little"
            )

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The bounds above, for each position of the other axes that are summed over."""
        self.require_computed(node, constants)
        left, _, outputs = read_labels(node)
        weights, values = intervals
        contracted, row_sum = integers(node, "contracted"), integer(node, "row_sum")
        rows = summed_rows(left, outputs, contracted)
        if rows is None or weights[0] < 0 or row_sum < 0:
            raise ModelError(f"'{node.name}': it averages with weights that are no rows, or negative")
        low, high = average_interval(row_sum * rows, values)
        by_ranges = prod(contracted) * weights[1]
        least, most = by_ranges * min(values[0], 0), by_ranges * max(values[1], 0)
        if max(most - low, high - least) >= MODULUS or max(most, -least) >= LARGEST_EXACT_SUM:
            raise ModelError(f"'{node.name}': its sums could wrap modulo p")
        return low, high


def summed_rows(weights: Labels, outputs: int, contracted: Sequence[int]) -> int | None:
    """How many rows of weights with these labels a sum has; None where their last axis is not summed over."""
    if not weights or weights[-1] < outputs:
        return None
    return prod(contracted) // contracted[weights[-1] - outputs]


def average_interval(row_sum: int, values: Interval) -> Interval:
    """The bounds of a sum of values, of which the weights add up to so much at most."""
    return row_sum * min(values[0], 0), row_sum * max(values[1], 0)
