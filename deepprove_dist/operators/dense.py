"""Dense layer: y[.., n] = sum_k x[.., k] * W[n, k] + b[n], with x [.., K], W [N, K] and b [N].

W and b are constants. In integers it is an accumulator. A kernel computes its sums (`small_products`), or
float64 BLAS does. That is exact too: every partial sum is an integer below 2^53.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.axes import grouped
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.integer_operator import (
    Analysis,
    Constants,
    Inference,
    IntegerOperator,
    SplitAxes,
)
from deepprove_dist.operators.layer import FloatLayer
from deepprove_dist.operators.linear import require_requantised, weighted_interval
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.row_blocks import row_blocks
from deepprove_dist.operators.small_products import PackedWeights, small_rows
from deepprove_dist.protocol.system.system import BATCH, Affine, Factor, Product, Term
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatDense(FloatLayer):
    """Weight [N, K], bias [N]; channels are along the last axis."""

    integer_name: ClassVar[str] = "dense"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """[.., K] to [.., N]."""
        return (*inputs[0][:-1], len(self.weight))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """A matrix product."""
        result: FloatArray = inputs[0] @ self.weight.T + self.bias
        return result

    def channel_axis(self, rank: int) -> int:
        """The last one."""
        return rank - 1

    def takes_scales(self, axis: int, rank: int) -> bool:
        """Along the axis that weights run over."""
        return axis == self.read_axis(rank)

    def read_axis(self, rank: int) -> int:
        """The last one."""
        return rank - 1

    def scales_of_weights(self, scales: FloatArray) -> FloatArray:
        """A scale for each column."""
        return scales[None]

    def largest_sum(self, values: FloatArray) -> float:
        """Over a row."""
        return float(values.sum(axis=-1).max())

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """None."""
        return {}


class Dense(IntegerOperator):
    """The dense layer without its rescaling; its output is not committed."""

    name: ClassVar[str] = FloatDense.integer_name
    inputs: ClassVar[Sequence[int]] = (2, 3)
    attributes: ClassVar[Mapping[str, type]] = {}
    constant_type: ClassVar[type[np.generic]] = np.float64
    reads_narrow_constants: ClassVar[bool] = True

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """x [.., K] and W [N, K] to [.., N]."""
        x, weight = shapes[0], shapes[1]
        if len(weight) != 2 or not x or x[-1] != weight[1]:
            raise ModelError(f"'{node.name}': weights {weight} do not fit an input {x}")
        if len(shapes) == 3 and shapes[2] != weight[:1]:
            raise ModelError(f"'{node.name}': a bias {shapes[2]} does not fit weights {weight}")
        return (*x[:-1], weight[0])

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Per output, the weights of either sign meet the input's opposite ends; exact below 2^52."""
        return weighted_interval(node, intervals[0], constants)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """One matrix product; no further columns. In floats, other types are converted block by block."""
        x, weight = inputs[0], inputs[1]
        small = small_rows(x.reshape(-1, x.shape[-1]), weight)
        if small is not None:
            if len(inputs) == 3:
                small += inputs[2].astype(np.int64)
            return Inference(small.reshape(*x.shape[:-1], len(weight)), {})
        rows = x.reshape(-1, x.shape[-1]).astype(np.float64)
        if weight.dtype == np.float64:
            accumulator = _product(rows, weight)
        else:
            accumulator = np.empty((len(rows), len(weight)))
            for block in row_blocks(weight.shape):
                accumulator[:, block] = _product(rows, weight[block].astype(np.float64))
        if len(inputs) == 3:
            accumulator += inputs[2]
        return Inference(accumulator.astype(np.int64).reshape(*x.shape[:-1], weight.shape[0]), {})

    def prepared(self, node: Node, index: int, values: Integers) -> npt.NDArray[Any]:
        """Weights packed for the kernel, where they are small."""
        packed = PackedWeights.of(values) if index == 1 else None
        return super().prepared(node, index, values) if packed is None else packed

    def split_axes(self, node: Node) -> SplitAxes:
        """The last dimension of both; a single column of weights is no work."""
        return SplitAxes(-1, -1, least=4)

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A contraction over the axes of the last dimension; the bias is a term of the result."""
        x, (outputs, width) = inputs[0], analysis.shapes[node.inputs[1]]
        require_requantised(node, x)
        rows = (prod(x.shape[:-1]), width)
        x = Reader(node.name, analysis.intervals, builder).aligned(node.inputs[0], x, rows)
        leading, contracted = grouped(x.axes, rows) or ((), ())
        # Index space: samples, leading axes, outputs; after them the contracted axes.
        output_axes = (outputs,) if outputs > 1 else ()
        space = (BATCH, *leading, *output_axes)
        summed = tuple(range(len(space), len(space) + len(contracted)))
        labels = (len(space) - 1,) if output_axes else ()
        left = Factor(builder.weight(node.inputs[1], (*output_axes, *contracted)), labels + summed)
        right = Factor(x.value, (*range(len(leading) + 1), *summed))
        terms: tuple[Term, ...] = ()
        if len(node.inputs) == 3:
            bias = builder.weight(node.inputs[2], output_axes)
            terms = (Term(1, bias.terms[0].tensor, labels),)
        shape, weight_bounds = (*x.shape[:-1], outputs), analysis.intervals[node.output]
        products = (Product(1, contracted, (), left, right),)
        return Expression(shape, Affine(space, terms, ()), products, weight_bounds)


def _product(rows: FloatArray, weight: FloatArray) -> FloatArray:
    """The products of rows [R, K] and weights [N, K], as [R, N]."""
    if len(rows) > 1:
        return np.asarray(rows @ weight.T)
    # A matrix-vector product would wake BLAS's threads. These then spin for milliseconds on the cores
    # that are to prove. One inner product an output is as fast as memory and stays on this thread.
    return np.asarray(np.matmul(weight[:, None], rows[0]).T)
