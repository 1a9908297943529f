"""Attention: averages of values by the exponentials of scores. In integers they are exact.

For a row x of N scores, values v, and a table T of exp on 0, 1, ..., T(0) >= 1 and no value negative:

    m = max x,    e = T(m - x),    b = sum e,    y = floor((2 a + b) / (2 b)),    a = 2^g sum_k e_k v_k.

So y / 2^g is the mean of v by the weights e / b, rounded, and in the range of v. It is divided after the
products: there is one quotient for each result, not for each score. The weights are never rounded to steps of
a sum of 1, which loses what many tokens add up to. A proof commits the gains of a tournament for m, then e,
b, y and the remainder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.canonical import replace
from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.contract import Labels, contract
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.quotient import Remainder, remainders, require_division
from deepprove_dist.lowering.rows import Largest, row_gains, row_sums
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.contraction import Contraction, read_labels
from deepprove_dist.operators.exponentials import read_table
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.sums_of_products import sum_products
from deepprove_dist.protocol.system.system import Affine
from deepprove_dist.protocol.system.table import Interval, Table

EXPONENTIAL, TOTAL = "e", "b"


class Attention(Contraction):
    """Attributes of a contraction of scores and values, ``table`` T, and ``shift`` g.

    It sums over the scores' last axis. Columns: "gain0", ..., "e", "b", "r", "s".
    """

    name: ClassVar[str] = "attention"
    attributes: ClassVar[Mapping[str, type]] = {**Contraction.attributes, "table": Table, "shift": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """As of a contraction. One axis is summed over, the last one of scores."""
        left, _, outputs = read_labels(node)
        if len(integers(node, "contracted")) != 1 or left[-1:] != (outputs,):
            raise ModelError(f"'{node.name}': attention is over the last axis of its scores, and no other")
        return super().shape(node, shapes)

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """That of the values, 2^g times as wide. Nothing in the division may wrap modulo p."""
        self.require_computed(node, constants)
        scores, values = intervals
        top, (size,) = read_table(node, scores).interval()[1], integers(node, "contracted")
        shift = integer(node, "shift")
        # Compared before shifting: an untrusted shift may be of any size.
        if not 0 <= shift < MODULUS.bit_length():
            raise ModelError(f"'{node.name}': attention takes a shift of few bits")
        finer = values[0] << shift, values[1] << shift
        if division_bound(size, top, finer) >= MODULUS:
            raise ModelError(f"'{node.name}': attention that would wrap modulo p")
        return finer

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Exponentials, their sums, sums of products and quotients; the columns are all that is committed."""
        scores, values = inputs
        left, right, outputs = read_labels(node)
        table = node.attributes["table"]
        assert isinstance(table, Table)
        exponentials = table.apply(scores.max(axis=-1, keepdims=True) - scores)
        total = exponentials.sum(axis=-1)
        labels = [(0, *(1 + label for label in side)) for side in (left, right)]
        sums = sum_products(
            exponentials.astype(np.float64), values.astype(np.float64), labels[0], labels[1], 1 + outputs
        )
        numerator = sums.astype(np.int64) << integer(node, "shift")
        quotient, columns = remainders(numerator, _over_outputs(total, left[:-1], outputs))
        columns |= {EXPONENTIAL: exponentials, TOTAL: total, **dict(row_gains(scores))}
        return Inference(quotient, columns)

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """Gains and exponentials are looked up, and results have a range; the division is two products."""
        for value in inputs:
            require_requantised(node, value)
        scores, values = inputs
        left, right, outputs = read_labels(node)
        interval, shape = analysis.intervals[node.inputs[0]], scores.shape
        table, (size,) = read_table(node, interval), integers(node, "contracted")
        named = f"{node.output}.{EXPONENTIAL}"
        top = table.interval()[1]
        reader = Reader(node.name, {**analysis.intervals, named: (0, top)}, builder)
        x = reader.slidable(node.inputs[0], scores, [len(shape) - 1]).value
        largest = Largest(node.output, x, interval, builder)
        like = Expression(shape, x, (), (0, top))
        weights = builder.witness(named, like, Source(node.output, EXPONENTIAL))
        builder.look_up(0, table.size, table, added(largest.over_rows(size), scaled(x, -1)), weights.value)
        total = row_sums(f"{node.output}.{TOTAL}", weights.value, Source(node.output, TOTAL), builder)
        sides = [(named, weights), (node.inputs[1], values)]
        space, products = contract(reader, sides, (left, right), outputs)
        bounds = analysis.intervals[node.output]
        out = Expression(analysis.shapes[node.output], Affine(space, (), ()), (), bounds)
        result = builder.witness(node.output, out, Source(node.output))
        builder.look_up(bounds[0], bounds[1] - bounds[0] + 1, None, result.value)
        sums = Expression(shape[:-1], total, (), (0, size * top))
        divided = [(node.output, result), (f"{node.output}.{TOTAL}", sums)]
        same, by_divisor = contract(reader, divided, (tuple(range(outputs)), left[:-1]), outputs)
        if same != space:
            raise ModelError(f"'{node.name}': axes of its scores are cut in more than one way")
        left_over = Remainder(node.name, node.output, 2 * size * top - 1, prod(out.shape))
        twice = replace(products, coefficient=2 << integer(node, "shift"))
        require_division(out.value, [twice], by_divisor, left_over, builder)
        return result


def division_bound(size: int, top: int, results: Interval) -> int:
    """More than the range of all that a division adds up: 2 y b, 2 a, b and r."""
    return size * top * (4 * max(-results[0], results[1], 1) + 8)


def _over_outputs(total: IntArray, labels: Labels, outputs: int) -> IntArray:
    """Sums with these axes, samples in front, in the order of the outputs' axes; others have size 1."""
    ordered = total.transpose(0, *(1 + axis for axis in np.argsort(labels)))
    return ordered[(slice(None), *(slice(None) if label in labels else None for label in range(outputs)))]
