"""What is computed along the last axis of a value, for each row: views of it, its maximum, its sum.

A row's maximum is a tournament. In each round the first half of n entries meets the last one:

    m'_i = m_i + g_i,    g_i = relu(m_(n-h+i) - m_i),    i < h = half of n, rounded up.

Of an odd number of entries, the middle one meets two others. So the maximum is an expression of about log2 n
tensors: the entries, and the gains of each round. It is attained, whatever a prover commits to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.canonical import replace
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, moved, scaled
from deepprove_dist.lowering.following import follow
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Affine
from deepprove_dist.protocol.system.table import Interval, Table

GAIN = "gain"


def along_rows(value: Affine, count: int, offset: int = 0, stride: int = 1, taps: int = 1) -> Affine:
    """The value whose last axis is replaced by positions of a map, which follows that axis."""
    axis = len(value.space) - 1
    if (count, offset, stride, taps) == (value.space[axis], 0, 1, 1):
        return value
    view = follow(value, IndexMap((axis,), 0, count, offset, stride, taps))
    assert view is not None, "a map follows an axis that nothing else follows"
    return view


def cut_rows(value: Affine, parts: int, width: int) -> Affine:
    """The value whose last axis is cut into so many parts of a width; the last one may end with zeros."""
    whole, last = along_rows(value, parts * width), len(value.space) - 1
    kept = [(axis,) for axis in range(last)]
    return moved(whole, (*value.space[:-1], parts, width), [*kept, (last, last + 1)])


def over_rows(value: Affine, size: int) -> Affine:
    """A value for each row, the same for all entries of a row of this size."""
    return replace(value, space=(*value.space, size))


class Largest:
    """The maximum of each row of a value, which a map of one tap can follow along its last axis."""

    def __init__(self, output: str, value: Affine, interval: Interval, builder: Builder) -> None:
        """Commits the gains of each round, the further columns `gains` of the node `output`."""
        self._parts = [value]
        low, high = interval
        gains = np.maximum(np.arange(low - high, high - low + 1), 0)
        table = Table.from_values(low - high, gains)
        size, number = value.space[-1], 0
        while size > 1:
            half = (size + 1) // 2
            first, second = self._view(half), self._view(half, offset=size - half)
            column = f"{GAIN}{number}"
            like = Expression(first.space[1:], first, (), (0, 0))
            gain = builder.witness(f"{output}.{column}", like, Source(output, column)).value
            builder.look_up(table.first, table.size, table, added(second, scaled(first, -1)), gain)
            self._parts.append(gain)
            size, number = half, number + 1

    def over_rows(self, size: int) -> Affine:
        """Each row's maximum, for all of so many entries of the row."""
        return self._view(size, stride=0)

    def _view(self, count: int, offset: int = 0, stride: int = 1) -> Affine:
        return added(*(along_rows(part, count, offset, stride) for part in self._parts))


def row_gains(values: IntArray) -> Iterator[tuple[str, IntArray]]:
    """The gains of each round of the tournament along the last axis, by the names of their columns."""
    running, number = values, 0
    while running.shape[-1] > 1:
        half = (running.shape[-1] + 1) // 2
        first, second = running[..., :half], running[..., running.shape[-1] - half :]
        gain = np.maximum(second - first, 0)
        yield f"{GAIN}{number}", gain
        running, number = first + gain, number + 1


def row_sums(name: str, entries: Affine, source: Source, builder: Builder) -> Affine:
    """The sum of each row of a tensor, committed: a linear relation defines it."""
    space = entries.space[:-1]
    like = Expression(space[1:], Affine(space, (), ()), (), (0, 0))
    total = builder.witness(name, like, source).value
    sums = Expression(space[1:], along_rows(entries, 1, taps=entries.space[-1]), (), (0, 0))
    builder.require_equal(name, over_rows(total, 1), sums)
    return total
