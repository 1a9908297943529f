"""Rows of constant weights at computed indices: a dense layer of one-hot vectors, or of zeros.

At most one element of an input's last axis is 1, and all others are 0. So an output is one weight at most, no
sum of many, and its bounds are those of single weights. That the input is so follows from the nodes before it
(`model.one_hot`). Where the indices are a public input, rows are terms of the weights (`public_selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Reals
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.axes import fine_axes
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.dense import Dense, FloatDense
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference
from deepprove_dist.operators.layer import LayerSummand
from deepprove_dist.operators.linear import weighted_interval
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.summand import Summand
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine, Term
from deepprove_dist.protocol.system.table import Interval

TRUTH = {0, 1}


@dataclass(frozen=True)
class FloatRows(FloatDense):
    """Weight [N, K], bias [N]; the input [.., K] has at most one 1 along its last axis, and zeros."""

    integer_name: ClassVar[str] = "selected_rows"

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """One column of the weights for each row of the input, times its largest value."""
        hot, index = _hot(inputs[0])
        result: FloatArray = self.weight.T[index] * hot + self.bias
        return result

    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """One, of the input's truth values. Of indices too wide for a table it is a dense layer's."""
        source = planner.planned_by_axis(self.input, None)
        if not set(source.format.interval) <= TRUTH:
            dense = FloatDense(self.name, self.inputs, self.output, self.weight, self.bias)
            return dense.summands(factor, planner)
        return [RowsSummand(source, self.input, self, factor)], np.zeros(())


@dataclass(frozen=True)
class RowsSummand(LayerSummand):
    """Rows of the weights; the source has truth values."""

    def bounds(self) -> tuple[float, float]:
        """Of single weights, and of no weight."""
        least, largest = self.layer.weight.min(axis=1), self.layer.weight.max(axis=1)
        ends = [self.factor * values.astype(np.float64) for values in (least, largest)]
        lowest = np.minimum(np.minimum(*ends), 0) + self._bias
        highest = np.maximum(np.maximum(*ends), 0) + self._bias
        return float(lowest.min()), float(highest.max())

    def rounding_error(self, mean_square: Reals, unit: float | None) -> float:
        """Of one weight."""
        return sqrt(1 / 12)

    def noise(self) -> float:
        """None: truth values are not rounded."""
        return 0.0

    def rounding_bound(self) -> float:
        """One weight off by a half, and the bias too."""
        return 1.0


class Rows(Dense):
    """The dense layer of one-hot vectors, without its rescaling."""

    name: ClassVar[str] = FloatRows.integer_name

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Per output, from the smallest weight to the largest, or 0, and the bias."""
        if not set(intervals[0]) <= TRUTH:
            raise ModelError(f"'{node.name}': rows are selected by truth values, not by {intervals[0]}")
        # Inference adds as a dense layer does, however many elements are 1.
        weighted_interval(node, intervals[0], constants)
        weight = constants[node.inputs[1]]
        bias = np.zeros(len(weight), dtype=np.int64)
        if len(node.inputs) == 3:
            bias += constants[node.inputs[2]]
        lowest = np.minimum(weight.min(axis=1), 0) + bias
        highest = np.maximum(weight.max(axis=1), 0) + bias
        return int(lowest.min()), int(highest.max())

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """The selected weights; no further columns."""
        hot, index = _hot(inputs[0])
        rows = inputs[1].T[index].astype(np.int64) * hot
        return Inference(rows + inputs[2].astype(np.int64) if len(inputs) == 3 else rows, {})


def _hot(rows: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """The largest element [.., 1] of each row, and its index [..]: all others are 0."""
    index = rows.argmax(axis=-1)
    return np.take_along_axis(rows, index[..., None], -1), index


def lower_public_rows(layer: Node, source: str, analysis: Analysis, builder: Builder) -> Expression:
    """The output [.., N] of a layer with weights [N, K], and a bias [N], whose indices of K are an input."""
    weight, *bias = layer.inputs[1:]
    outputs, size = analysis.shapes[weight]
    leading, output_axes = fine_axes(analysis.shapes[source]), (outputs,) if outputs > 1 else ()
    space = (BATCH, *leading, *output_axes)
    labels = (len(space) - 1,) if output_axes else ()
    selection = IndexMap.of_input(range(1 + len(leading)), source)
    (rows,) = builder.weight(weight, (*output_axes, size)).terms
    terms = [Term(1, rows.tensor, (*labels, selection))]
    for name in bias:
        (term,) = builder.weight(name, output_axes).terms
        terms.append(Term(1, term.tensor, labels))
    shape, bounds = analysis.shapes[layer.output], analysis.intervals[layer.output]
    return Expression(shape, Affine(space, tuple(terms), ()), (), bounds)


def public_rows(weight: Integers, bias: Sequence[Integers], indices: IntArray) -> IntArray:
    """The same in integers, for indices [samples, *positions]: [samples, *positions, N].

    Indices from -K to -1 count from the end, others have no row. There is one ``bias`` [N], or none.
    """
    size = weight.shape[1]
    counted = np.where(indices < 0, indices + size, indices)
    inside = (counted >= 0) & (counted < size)
    rows = weight[:, np.where(inside, counted, 0).reshape(-1)].T * inside.reshape(-1, 1).astype(np.int64)
    for values in bias:
        rows += values
    result: IntArray = rows.reshape(*indices.shape, len(weight))
    return result
