"""Bounds of expressions from the ranges of their tensors.

A term through a map of one tap is on an interval of positions and 0 elsewhere, or on several by a list. So is
a constant on a part of an axis. These intervals cut an index space into cells. In each cell the parts that
are there add up. An expression is between the least and the greatest of these sums. So parts that never meet
do not add up: those of a concatenation, or padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.protocol.system.index_map import Axis, IndexMap, is_plain
from deepprove_dist.protocol.system.maxima import Maxima
from deepprove_dist.protocol.system.system import Affine, Matrix, System
from deepprove_dist.protocol.system.table import Interval

MAX_CELLS = 1 << 10
"""Cells times runs of an expression's parts; along further axes, parts on runs count everywhere."""

_Axes = tuple[int, ...]
"""Axes of an expression, taken as one."""


@dataclass(frozen=True)
class _Part:
    """A term or a constant: its range where it is, and the runs of positions that it is on, for some axes."""

    range: Interval
    runs: Mapping[_Axes, Sequence[Interval]]

    @property
    def compared_runs(self) -> int:
        """What it counts in each cell."""
        return max(map(len, self.runs.values()), default=1)


def affine_range(
    system: System, affine: Affine, ranges: Mapping[int, Interval], maxima: Maxima | None = None
) -> Interval:
    """Bounds of the witness's part of an expression, from the ranges of its tensors, and of maxima in it."""
    folded = affine if maxima is None else maxima.fold(affine)
    return folded_range(system, folded, ranges, maxima)


def folded_range(
    system: System, affine: Affine, ranges: Mapping[int, Interval], maxima: Maxima | None
) -> Interval:
    """Bounds of an expression in which maxima have been folded already."""
    parts = []
    for constant in affine.constants:
        within = [(cover, 1) for cover in constant.within]
        parts.append(_part((constant.value, constant.value), within, affine.space))
    for term in affine.terms:
        if term.tensor < 0 and maxima is not None:
            number = -1 - term.tensor
            shape, values = system.tensors[maxima.gains[number]].shape, maxima.ranges[number]
        elif system.tensors[term.tensor].matrix is Matrix.WEIGHTS:
            continue
        else:
            shape, values = system.tensors[term.tensor].shape, ranges[term.tensor]
        scaled = times(values, [term.coefficient])
        parts.append(_part(scaled, zip(term.axes, term.sizes(shape), strict=True), affine.space))
    ends = dict[_Axes, set[int]]()
    for part in parts:
        for axes, runs in part.runs.items():
            ends.setdefault(axes, {0, _positions(affine.space, axes)}).update(chain(*runs))
    compared, cells = list[tuple[_Axes, list[int]]](), 1
    compared_runs = sum(part.compared_runs for part in parts)
    for axes, cuts in ends.items():
        if cells * (len(cuts) - 1) * compared_runs <= MAX_CELLS:
            cells *= len(cuts) - 1
            compared.append((axes, sorted(cuts)))
    if compared and maxima is not None and not maxima.afford(cells * compared_runs):
        compared = []
    return _bounds(parts, compared)


def _part(values: Interval, axes: Iterable[tuple[Axis, int]], space: Shape) -> _Part:
    """What follows axes of a space through these maps, each given with the size of what it leads to.

    A part that is nowhere is 0. Runs that are whole axes are left out, so that axes to compare have two cells
    or more.
    """
    present = dict[_Axes, Sequence[Interval]]()
    for axis, size in axes:
        if isinstance(axis, int) or is_plain(axis, space, size):
            continue
        values = _through(values, axis)
        if axis.taps == 1:
            runs = axis.runs(size)
            if not runs:
                return _Part((0, 0), {})
            if runs != [(0, _positions(space, axis.axes))]:
                present[axis.axes] = runs
    return _Part(values, present)


def _through(values: Interval, axis: IndexMap) -> Interval:
    """The range of what a map makes of values, at positions that count."""
    scale = axis.scale or (1,)
    if axis.taps != 1:
        # Indices outside the tensor count as 0, so a sum has any number of taps.
        scale = (*(axis.taps * factor for factor in scale), 0)
    return times(values, scale)


def times(values: Interval, factors: Sequence[int]) -> Interval:
    """Bounds of a product of a value in a range and one of these factors."""
    ends = [factor * end for factor in factors for end in values]
    return min(ends), max(ends)


def _positions(space: Shape, axes: _Axes) -> int:
    return prod(space[axis] for axis in axes)


def _bounds(parts: Sequence[_Part], axes: Sequence[tuple[_Axes, list[int]]]) -> Interval:
    """Bounds of a sum of parts, cell by cell of the first axes."""
    if not axes:
        # A part that still has runs is there in some cells only.
        values = [(*part.range, 0) if part.runs else part.range for part in parts]
        return sum(map(min, values)), sum(map(max, values))
    (key, ends), *others = axes
    cells = []
    for first, end in pairwise(ends):
        cell = []
        for part in parts:
            runs = part.runs.get(key, [(first, end)])
            if any(low <= first and end <= high for low, high in runs):
                remaining = {other: runs for other, runs in part.runs.items() if other != key}
                cell.append(_Part(part.range, remaining))
        cells.append(_bounds(cell, others))
    return min(low for low, _ in cells), max(high for _, high in cells)
