"""Operators along some axes, which float operators have along the last one: views before and after it."""

from collections.abc import Callable, Sequence
from math import prod

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.transpose import FloatTranspose


def along_axes(
    graph: GraphBuilder, tensor: str, axes: Sequence[int], apply: Callable[[str, int], str]
) -> str:
    """What ``apply`` makes of a tensor whose last axis, of the given size, is all of these axes, as one.

    The result has the tensor's shape again. Axes are counted from 0.
    """
    shape = graph.shape(tensor)
    others = [axis for axis in range(len(shape)) if axis not in axes]
    order = (*others, *axes)
    size = prod(shape[axis] for axis in axes)
    moved = tensor if order == tuple(range(len(shape))) else graph.add(FloatTranspose, tensor, order)
    rows = tuple(shape[axis] for axis in others)
    flat = moved if len(axes) == 1 else graph.add(FloatReshape, moved, (*rows, size))
    result = apply(flat, size)
    if len(axes) != 1:
        result = graph.add(FloatReshape, result, graph.shape(moved))
    if moved == tensor:
        return result
    return graph.add(FloatTranspose, result, tuple(order.index(axis) for axis in range(len(shape))))


def counted_axis(axis: int, rank: int) -> int:
    """An axis counted from 0. Raises UnsupportedNodeError for one that a tensor of this rank has not."""
    if not -rank <= axis < rank:
        raise UnsupportedNodeError(f"its axis {axis} is no axis of a tensor of rank {rank}")
    return axis % rank
