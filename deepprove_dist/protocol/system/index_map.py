"""Index maps: how an axis of a tensor follows axes of an expression.

An expression's axes a, b, ... of sizes A, B, ... are taken as one, in row-major order: their positions are
h = a B + b, and so on. Position h, if first <= h < end, has

    scale[h] * sum over taps i of the tensor's element at index  stride * h + dilation * i + offset.

Indices outside the tensor's axis count as 0, and so do all other positions. So one map says slices, padding,
joined axes, repetition (stride 0), and sums over windows: all are linear in the tensor.

Terms of expressions, constants on parts of axes, and the taps of products all follow axes by these maps. A
further kind of map (indices in a list, say) is a further type beside `IndexMap`, with the same methods.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod

from deepprove_dist import kernels
from deepprove_dist.canonical import Record


class IndexMap(Record, frozen=True):
    """Positions of the expression's `axes`, taken as one, to indices of a tensor's axis.

    Attributes:
        axes: those that are followed, one or more; the last one runs fastest.
        first, end: the positions that count, first <= h < end.
        offset: the index of tap 0 at position 0; negative with padding.
        stride: from a position's index to the next position's.
        taps: how many indices a position has.
        dilation: from a tap's index to the next tap's.
        scale: a factor for each position; 1 everywhere where it is empty.
    """

    axes: tuple[int, ...]
    first: int
    end: int
    offset: int = 0
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

    @property
    def is_cover(self) -> bool:
        """Whether it says no more than which positions count: it is `covering` of something."""
        return self == IndexMap.covering(self.axes, self.first, self.end)

    def is_identity(self, space: Sequence[int], size: int) -> bool:
        """Whether position h of the axes has index h alone, and there are `size` of both."""
        return positions(space, self) == size and self == IndexMap(self.axes, 0, size)

    def inside(self, size: int, tap: int = 0) -> tuple[int, int]:
        """The positions, first to end, whose `tap` has an index in [0, size); (0, 0) where there are none."""
        start = self.offset + self.dilation * tap
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
        """The kernels' map to an axis of `size` indices, without factors."""
        return kernels.IndexMap(size, self.taps, self.stride, self.dilation, self.offset)


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
