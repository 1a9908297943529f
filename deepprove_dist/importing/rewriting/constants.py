"""Tensors that are constant in parts, and computed in others."""

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift
from deepprove_dist.importing.rewriting.arranging import arrange
from deepprove_dist.importing.rewriting.builder import GraphBuilder


def arrange_among(graph: GraphBuilder, tensor: str, places: IntArray, constant: FloatArray) -> str:
    """The elements of a tensor at these places; -1 has the value of the constant, of the same shape."""
    absent = places < 0
    values = np.unique(constant[absent])
    if len(values) <= 1:
        return arrange(graph, tensor, places, float(values[0]) if len(values) else 0.0)
    placed = arrange(graph, tensor, places)
    return scale_and_shift(graph, placed, np.ones(()), np.where(absent, constant, 0.0))
