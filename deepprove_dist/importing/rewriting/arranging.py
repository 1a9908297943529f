"""Elements of a tensor in any new places, as few short selections along axes.

The elements of the tensor are numbered in row-major order. For each element of the result, `places` says one
of these numbers, or -1 for none. Mostly an index along an axis depends on the place along that axis alone.
Then each axis has a list of its size. Axes that depend on each other are joined, and have one list together.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.selecting import reshaped, select


def numbered(shape: Shape) -> IntArray:
    """The number of each element of a tensor of this shape."""
    return np.arange(prod(shape), dtype=np.int64).reshape(shape)


def arrange(graph: GraphBuilder, tensor: str, places: IntArray, fill: float = 0.0) -> str:
    """The elements of a tensor at these places; -1 has the value ``fill``."""
    if places.size == 0:
        raise UnsupportedNodeError("its output has no values")
    shape = graph.shape(tensor)
    if len(shape) != places.ndim or not shape:
        joined = select(graph, reshaped(graph, tensor, (prod(shape),)), 0, places.reshape(-1).tolist(), fill)
        return reshaped(graph, joined, places.shape)
    for first, end in _groups(shape, places):
        indices = _indices(shape, places, first, end)
        sizes = graph.shape(tensor)
        tensor = reshaped(graph, tensor, (*sizes[:first], prod(sizes[first:end]), *sizes[end:]))
        tensor = select(graph, tensor, first, indices.tolist(), fill)
        tensor = reshaped(graph, tensor, (*sizes[:first], *places.shape[first:end], *sizes[end:]))
    return tensor


def _groups(shape: Shape, places: IntArray) -> list[tuple[int, int]]:
    """Ranges of axes, from first to end, that depend on no other axes."""
    present, axes = places >= 0, range(places.ndim)
    # Where along each axis there is any element; elements should be at all combinations of these.
    along = [present.any(axis=tuple(k for k in axes if k != axis)) for axis in axes]
    inside = places[np.ix_(*along)]
    gaps = [axis for axis in axes if _varies(inside >= 0, axis)]
    if gaps:
        return _joined_groups(shape, places, gaps[0], gaps[-1] + 1)
    indices = np.unravel_index(inside, shape)
    links = [(k, j) for k, index in enumerate(indices) for j in axes if j != k and _varies(index, j)]
    starts = [axis for axis in axes if not any(min(link) < axis <= max(link) for link in links)]
    return list(pairwise([*starts, places.ndim]))


def _joined_groups(shape: Shape, places: IntArray, first: int, end: int) -> list[tuple[int, int]]:
    """The same, where the axes from first to end have to be together."""
    shape, sizes = ((*sizes[:first], prod(sizes[first:end]), *sizes[end:]) for sizes in (shape, places.shape))
    groups, more = _groups(shape, places.reshape(sizes)), end - first - 1
    return [(start + more * (start > first), stop + more * (stop > first)) for start, stop in groups]


def _varies(values: npt.NDArray[Any], axis: int) -> bool:
    return values.size > 0 and bool((values != values.take([0], axis)).any())


def _indices(shape: Shape, places: IntArray, first: int, end: int) -> IntArray:
    """The indices of some axes of the tensor, joined, for the places along these axes."""
    outer, inner = prod(places.shape[:first]), prod(places.shape[end:])
    rows = places.reshape(outer, -1, inner)
    flat: IntArray = rows.max(axis=(0, 2))
    after = prod(shape[end:])
    return np.where(flat < 0, -1, flat // after % prod(shape[first:end]))


def per_axis(graph: GraphBuilder, tensor: str, axes: Sequence[Sequence[int]], fill: float = 0.0) -> str:
    """The tensor with the elements at these indices of each axis; -1 has the value ``fill``."""
    for axis, indices in enumerate(axes):
        tensor = select(graph, tensor, axis, indices, fill)
    return tensor
