"""Tensors that are constant in parts, and computed in others."""

from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.arranging import arrange
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.selecting import reshaped, select


def arrange_among(graph: GraphBuilder, tensor: str, places: IntArray, constant: FloatArray) -> str:
    """The elements of a tensor at these places; -1 has the value of the constant, of the same shape."""
    absent = places < 0
    values = np.unique(constant[absent])
    if len(values) <= 1:
        return arrange(graph, tensor, places, float(values[0]) if len(values) else 0.0)
    placed = arrange(graph, tensor, places)
    return scale_and_shift(graph, placed, np.ones(()), np.where(absent, constant, 0.0))


def constant_tensor(graph: GraphBuilder, values: FloatArray, like: str) -> str:
    """A tensor of the float graph with these values: one element of another one, times 0, and a constant."""
    flat = reshaped(graph, like, (prod(graph.shape(like)),))
    single = reshaped(graph, select(graph, flat, 0, [0]), (1,) * values.ndim)
    return weighted_sum(graph, [single], [0.0], values)
