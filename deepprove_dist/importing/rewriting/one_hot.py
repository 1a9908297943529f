"""One-hot vectors of computed indices, and what is selected by them.

The index i becomes the truth values [i = k] for all k of an axis. ONNX counts negative indices from the end:
so [i = k - n] counts too. A product with one-hot vectors selects, exactly.
"""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import Reals
from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import contract
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.selecting import reshaped
from deepprove_dist.operators import truth
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.pointwise import IDENTITY, Function, call
from deepprove_dist.operators.selected_rows import FloatRows


def one_hot(graph: GraphBuilder, indices: str, size: int, *, axis: int = -1) -> str:
    """The truth values [index = k], with k along a new axis of this size."""
    return apply(graph, distances(graph, indices, size, axis), is_index(size))


def distances(graph: GraphBuilder, indices: str, size: int, axis: int) -> str:
    """index - k for all k, along a new axis of this size."""
    shape = graph.shape(indices)
    axis %= len(shape) + 1
    column = reshaped(graph, indices, (*shape[:axis], 1, *shape[axis:]))
    ramp = np.arange(size, dtype=np.float64).reshape(-1, *(1 for _ in shape[axis:]))
    return weighted_sum(graph, [column], [1.0], -ramp)


def is_index(size: int) -> Function:
    """Whether a distance is that of an index to itself, counted from either end."""
    return call(truth.either, call(truth.equal, IDENTITY, 0), call(truth.equal, IDENTITY, -size))


def selected_rows(graph: GraphBuilder, indices: str, rows: Reals) -> str:
    """The rows [size, ...] of a constant at computed indices, which come first in the result's shape."""
    size, *inner = rows.shape
    weight = rows.reshape(size, -1).T
    shape = graph.shape(indices)
    hot = one_hot(graph, indices, size)
    # An axis of one position is not repeated along: nothing says of it that one element is 1.
    kind = FloatRows if size > 1 else FloatDense
    flat = graph.add(kind, hot, weight, np.zeros(len(weight)))
    return reshaped(graph, flat, (*shape, *inner))


def selected(graph: GraphBuilder, indices: str, tensor: str, axis: int) -> str:
    """The elements of a computed tensor at computed indices of an axis, as Gather has them."""
    shape, before = graph.shape(tensor), graph.shape(indices)
    hot = one_hot(graph, indices, shape[axis])
    labels = [f"x{k}" for k in range(len(shape))]
    new = [f"i{k}" for k in range(len(before))]
    output = (*labels[:axis], *new, *labels[axis + 1 :])
    return contract(graph, (hot, tensor), ((*new, labels[axis]), labels), output)
