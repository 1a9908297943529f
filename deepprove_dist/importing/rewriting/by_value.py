"""A function of a tensor and a constant array: elements under equal constants together.

Each value of the constant makes a function of one number. That is applied to the elements under this value
alone, and has to be defined nowhere else.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.broadcasting import broadcast_shape, broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.selecting import reshaped, select
from deepprove_dist.operators.concat import FloatConcat
from deepprove_dist.operators.pointwise import Function

MOST_VALUES = 32
"""Of a constant: each has a table."""


def apply_by_value(
    graph: GraphBuilder, tensor: str, constant: FloatArray, function: Callable[[float], Function]
) -> str | None:
    """``function(c)`` of each element x, both broadcast; None for a constant with too many values."""
    shape = broadcast_shape([graph.shape(tensor), constant.shape])
    values, groups = np.unique(np.broadcast_to(constant, shape), return_inverse=True)
    if len(values) > MOST_VALUES or not prod(shape):
        return None
    whole = broadcast_to(graph, tensor, shape)
    if len(values) == 1:
        return apply(graph, whole, function(float(values[0])))
    flat, groups = reshaped(graph, whole, (prod(shape),)), groups.reshape(-1)
    listed = [np.flatnonzero(groups == number) for number in range(len(values))]
    parts = tuple(
        apply(graph, select(graph, flat, 0, indices.tolist()), function(float(value)))
        for value, indices in zip(values, listed, strict=True)
    )
    joined = graph.add(FloatConcat, parts, 0)
    order = np.argsort(np.concatenate(listed))
    return reshaped(graph, select(graph, joined, 0, order.tolist()), shape)
