"""The index of the largest or smallest value along an axis: a tournament of neighbours.

Elements 2k and 2k + 1 are compared, and the better one goes on with its index. So an element stands for a
range of indices, in order, and of equal ones the first goes on. After log2 n rounds one is left. An element
without a neighbour meets itself, and is never better than that.
"""

from __future__ import annotations

import numpy as np

from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.selecting import reshaped, select
from deepprove_dist.operators import truth
from deepprove_dist.operators.plain import FloatPlain
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.operators.select import FloatSelect

ZERO = np.array(0.0)


def extreme_index(graph: GraphBuilder, tensor: str, axis: int, *, smallest: bool, last: bool) -> str:
    """The index of the largest or smallest value along an axis, which stays with the size 1.

    Of equal values it is that of the first, or the last.
    """
    shape = graph.shape(tensor)
    size = shape[axis]
    tensor = graph.add(FloatPlain, tensor, shape)
    if last:
        tensor = select(graph, tensor, axis, range(size - 1, -1, -1))
    index: str | None = None
    span, values = 1, tensor
    while (count := graph.shape(values)[axis]) > 1:
        first, second = range(0, count, 2), [min(k + 1, count - 1) for k in range(0, count, 2)]
        left, right = (select(graph, values, axis, side) for side in (first, second))
        better = _better(graph, left, right, smallest=smallest)
        if index is None:
            index = apply(graph, better, IDENTITY)
        else:
            before, after = (select(graph, index, axis, side) for side in (first, second))
            later = weighted_sum(graph, [after], [1.0], np.array(float(span)))
            index = graph.add(FloatSelect, (better, later, before), None, None)
        values = graph.add(FloatSelect, (better, right, left), None, None)
        span *= 2
    if index is None:
        index = apply(graph, tensor, IDENTITY * 0)
    return apply(graph, index, IDENTITY * -1 + (size - 1)) if last else index


def without_axis(graph: GraphBuilder, tensor: str, axis: int) -> str:
    """The tensor without an axis of size 1."""
    shape = graph.shape(tensor)
    return reshaped(graph, tensor, (*shape[:axis], *shape[axis + 1 :]))


def _better(graph: GraphBuilder, left: str, right: str, *, smallest: bool) -> str:
    """Whether the right value is better than the left one: larger, or smaller."""
    difference = weighted_sum(graph, [right, left], [1.0, -1.0], ZERO)
    return apply(graph, difference, call(truth.less if smallest else truth.greater, IDENTITY, 0))
