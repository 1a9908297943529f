"""Selections along axes of a computed tensor, by lists of indices that are known before the model runs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.take import FloatTake


def select(graph: GraphBuilder, tensor: str, axis: int, indices: Sequence[int], fill: float = 0.0) -> str:
    """The tensor with the elements at these indices of an axis; -1 has the value ``fill``."""
    listed = tuple(map(int, indices))
    if not listed:
        raise UnsupportedNodeError("it selects nothing: its output has no values")
    if listed == tuple(range(graph.shape(tensor)[axis])):
        return tensor
    return graph.add(FloatTake, tensor, axis, listed, fill)


def reshaped(graph: GraphBuilder, tensor: str, shape: Shape) -> str:
    """The tensor under another shape."""
    return tensor if graph.shape(tensor) == shape else graph.add(FloatReshape, tensor, shape)


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from 0. Raises UnsupportedNodeError where there is none."""
    if not -rank <= axis < rank:
        raise UnsupportedNodeError(f"its axis is {axis}, and its input has {rank} axes")
    return axis % rank


def from_zero(indices: npt.NDArray[np.integer], size: int) -> npt.NDArray[np.int64]:
    """Indices of an axis of this size, counted from 0. Raises UnsupportedNodeError for one outside."""
    listed = np.asarray(indices, dtype=np.int64)
    outside = listed[(listed < -size) | (listed >= size)]
    if outside.size:
        raise UnsupportedNodeError(f"its index {outside.flat[0]} is outside of an axis of size {size}")
    counted: npt.NDArray[np.int64] = listed % size
    return counted
