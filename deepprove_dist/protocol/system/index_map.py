"""Index maps: how an axis of a tensor follows axes of an expression.

An expression's axes a, b, ... of sizes A, B, ... are taken as one, in row-major order: their positions are
h = a B + b, and so on. Position h, if first <= h < end, has

    scale[h] * sum over taps i of the tensor's element at index  stride * h + dilation * i + offset.

Indices outside the tensor's axis count as 0, and so do all other positions. So one map says slices, padding,
joined axes, repetition (stride 0), and sums over windows: all are linear in the tensor.

Other maps have their indices in a list, one for each position. Position h has the element at index offset[h]
then, and 0 where that is -1. A list says any selection, also a repeated one.

The list may be that of a public input, whose integers a statement has: see `public_selection`.

Terms of expressions, constants on parts of axes, and the taps of products all follow axes by these maps.
Taps and constants have no lists.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from math import prod

from deepprove_dist import kernels
from deepprove_dist.canonical import Record


class IndexMap(Record, frozen=True):
    """Positions of the expression's `axes`, taken as one, to indices of a tensor's axis.

    Attributes:
        axes: those that are followed, one or more; the last one runs fastest.
        first, end: the positions that count, first <= h < end.
        offset: the index of tap 0 at position 0; negative with padding. Or a list of the indices of all
            positions, -1 for none. All count then, the stride is 0, and there is one tap. Or the name of a
            public input that has this list. Then first and end are 0 until a statement puts it in.
        stride: from a position's index to the next position's.
        taps: how many indices a position has.
        dilation: from a tap's index to the next tap's.
        scale: a factor for each position; 1 everywhere where it is empty.
    """

    axes: tuple[int, ...]
    first: int
    end: int
    offset: int | tuple[int, ...] | str = 0
    stride: int = 1
    taps: int = 1
    dilation: int = 1
    scale: tuple[int, ...] = ()

    @classmethod
    def joining(cls, axes: Sequence[int], space: Sequence[int]) -> IndexMap:
        """Axes of a space as one: each position is an index, in order."""
        return cls(tuple(axes), 0, prod(space[axis] for axis in axes))

    @classmethod
    def covering(cls, axes: Sequence[int], first: int, end: int) -> IndexMap:
        """Positions first, ..., end - 1 have index 0; the others have none."""
        return cls(tuple(axes), first, end, stride=0)

    @classmethod
    def listing(cls, axes: Sequence[int], indices: Sequence[int]) -> IndexMap:
        """Position h has index indices[h], or none where that is -1; without a list where none is needed."""
        present = [h for h, index in enumerate(indices) if index >= 0]
        if not present:
            return cls(tuple(axes), 0, 0)
        first, end = present[0], present[-1] + 1
        step = indices[first + 1] - indices[first] if end - first > 1 else 1
        start = indices[first] - step * first
        if step >= 0 and all(indices[h] == start + step * h for h in range(first, end)):
            return cls(tuple(axes), first, end, start, step)
        return cls(tuple(axes), 0, len(indices), tuple(indices), 0)

    @classmethod
    def of_input(cls, axes: Sequence[int], name: str) -> IndexMap:
        """Positions of samples and other axes have the indices that a public input of this name has."""
        return cls(tuple(axes), 0, 0, name, 0)

    @property
    def listed(self) -> tuple[int, ...] | None:
        """The indices of all positions where they are a list, else None."""
        return self.offset if isinstance(self.offset, tuple) else None

    @property
    def input(self) -> str | None:
        """The public input that has the list, until a statement is known; None of all other maps."""
        return self.offset if isinstance(self.offset, str) else None

    @property
    def start(self) -> int:
        """The index of tap 0 at position 0, of a map without a list."""
        assert isinstance(self.offset, int), "a list has as many indices as positions"
        return self.offset

    @property
    def is_cover(self) -> bool:
        """Whether it says no more than which positions count: it is `covering` of something."""
        return self == IndexMap.covering(self.axes, self.first, self.end)

    def is_identity(self, space: Sequence[int], size: int) -> bool:
        """Whether position h of the axes has index h alone, and there are `size` of both."""
        return positions(space, self) == size and self == IndexMap(self.axes, 0, size)

    def strided(self, positions: int) -> slice | None:
        """The indices of so many positions, which are all, of a map of one tap without factors.

        None of any other map, and of one that does not move, or has a list.
        """
        whole = (self.first, self.end, self.taps) == (0, positions, 1) and not self.scale
        if not whole or not isinstance(self.offset, int) or self.offset < 0 or self.stride < 1:
            return None
        return slice(self.offset, self.offset + self.stride * (positions - 1) + 1, self.stride)

    def runs(self, size: int) -> list[tuple[int, int]]:
        """The positions whose first tap has an index in [0, size), as runs from first to end, in order."""
        if self.listed is None:
            run = self.inside(size)
            return [run] if run[0] < run[1] else []
        runs, first = [], 0
        for present, group in groupby(index >= 0 for index in self.listed):
            end = first + sum(1 for _ in group)
            if present:
                runs.append((first, end))
            first = end
        return runs

    def inside(self, size: int, tap: int = 0) -> tuple[int, int]:
        """The positions, first to end, whose `tap` has an index in [0, size); (0, 0) where there are none.

        Of a map without a list.
        """
        start = self.start + self.dilation * tap
        if self.stride == 0:
            first, end = (0, sys.maxsize) if 0 <= start < size else (0, 0)
        else:
            first, end = -(start // self.stride), (size - 1 - start) // self.stride + 1
        first, end = max(self.first, first), min(self.end, end)
        return (first, end) if first < end else (0, 0)

    def factors(self, positions: int) -> list[int]:
        """The factor of each of so many positions; 0 where a position does not count."""
        scale = self.scale or (1,) * positions
        return [scale[h] if self.first <= h < self.end else 0 for h in range(positions)]

    def kernel(self, size: int) -> kernels.IndexMap:
        """The kernels' map to an axis of `size` indices, without factors; of a map without a list."""
        return kernels.IndexMap(size, self.taps, self.stride, self.dilation, self.start)


Axis = int | IndexMap
"""What an axis of a tensor follows: one axis of an expression, index by index, or some by a map."""


def followed(axis: Axis) -> tuple[int, ...]:
    """The axes of the expression that an axis follows."""
    return axis.axes if isinstance(axis, IndexMap) else (axis,)


def positions(space: Sequence[int], axis: Axis) -> int:
    """The number of positions along all axes of a space that an axis follows."""
    if isinstance(axis, int):
        return space[axis]
    return prod(space[k] for k in axis.axes)


def is_plain(axis: Axis, space: Sequence[int], size: int) -> bool:
    """Whether an axis of a tensor, of this size, has each position's index once, in order."""
    return isinstance(axis, int) or axis.is_identity(space, size)
