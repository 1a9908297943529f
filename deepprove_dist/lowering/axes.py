"""Axes that the same elements, in row-major order, are cut into.

An axis has a step, the product of the sizes after it: how far apart its neighbours stand. Take two lists of
axes with the same elements. They have common finer axes where the steps of both, sorted, divide one another.
So 12 as 3 x 4 and as 6 x 2 has the steps 12, 4, 2, 1, and is 3 x 2 x 2; 2 x 3 and 3 x 2 have none. Common
coarser axes always exist, of the steps that are in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from deepprove_dist.arrays import Shape

MAX_FINER_AXES = 12
"""Of one sample; relations put some more beside them."""


def fine_axes(shape: Shape) -> Shape:
    """The axes of a tensor that is stored as it is: its dimensions, but for a leading one of size 1."""
    return shape[1:] if shape[:1] == (1,) else shape


def grouped(axes: Shape, shape: Shape) -> tuple[Shape, ...] | None:
    """For each dimension of `shape` the axes that make it, in order; None where an axis would be cut.

    From the last dimension on; one of size 1 has an axis of size 1 if that stands next, else none.
    """
    groups, end = [], len(axes)
    for size in reversed(shape):
        start = end
        if size == 1:
            start -= axes[start - 1 : start] == (1,)
        while prod(axes[start:end]) < size and start > 0:
            start -= 1
        if prod(axes[start:end]) != size:
            return None
        groups.append(axes[start:end])
        end = start
    if set(axes[:end]) == {1}:
        # A shape without dimensions has no use for them.
        groups[-1:] = [axes[:end] + group for group in groups[-1:]]
        end = 0
    return tuple(reversed(groups)) if end == 0 else None


def finer_axes(*lists: Shape) -> Shape | None:
    """The fewest axes that all of these lists can be cut into; None where there are none, or too many.

    At a step where a list has axes of size 1, there are as many as in the list with the most.
    """
    steps = sorted({1, prod(lists[0])}.union(*map(_steps, lists)))
    if any(high % low for low, high in pairwise(steps)):
        return None
    ones = {step: (1,) * max(len(_ones(axes, step)) for axes in lists) for step in steps}
    axes = ones[steps[-1]]
    for low, high in reversed(list(pairwise(steps))):
        axes += (high // low, *ones[low])
    return axes if len(axes) <= MAX_FINER_AXES else None


def coarser_axes(first: Shape, second: Shape) -> Shape:
    """The most axes that both lists are cuts of; none of size 1."""
    steps = sorted({1, prod(first)} | set(_steps(first)) & set(_steps(second)))
    return tuple(high // low for low, high in reversed(list(pairwise(steps))))


def cuts(axes: Shape, finer: Shape) -> list[tuple[int, ...]]:
    """For each axis the places, among finer ones, of those that it is cut into."""
    steps, places = _steps(finer), list[tuple[int, ...]]()
    for index, (size, step) in enumerate(zip(axes, _steps(axes), strict=True)):
        if size == 1:
            number = _ones(axes, step).index(index)
            places.append((_ones(finer, step)[number],))
        else:
            inside = (
                k for k, finer_step in enumerate(steps) if finer[k] > 1 and step <= finer_step < step * size
            )
            places.append(tuple(inside))
    return places


def _steps(axes: Shape) -> list[int]:
    return [prod(axes[index + 1 :]) for index in range(len(axes))]


def _ones(axes: Shape, step: int) -> Sequence[int]:
    """The axes of size 1 at a step."""
    steps = _steps(axes)
    return [index for index, size in enumerate(axes) if size == 1 and steps[index] == step]
