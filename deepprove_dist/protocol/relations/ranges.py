"""Bounds of expressions from the ranges of their tensors.

A window of one place, and a constant on ranges, is on an interval of an axis and 0 elsewhere. These intervals
cut an index space into cells; in each cell the parts that are there add up, and an expression is between the
least and the greatest of these sums. So parts that never meet do not add up: those of a concatenation, or
padding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deepprove_dist.protocol.relations.affine import places_inside
from deepprove_dist.protocol.relations.maxima import Maxima
from deepprove_dist.protocol.relations.system import (
    Affine,
    Constant,
    Followed,
    Matrix,
    Shape,
    System,
    Term,
    Window,
    size_along,
)

Range = tuple[int, int]

MAX_CELLS = 1 << 10
"""Cells times parts of an expression; along further axes, parts on intervals count everywhere."""


@dataclass(frozen=True)
class _Part:
    """A term or a constant: its range where it is, and the interval of each axis that it is on."""

    range: Range
    intervals: Mapping[Followed, Range]


def affine_range(
    system: System, affine: Affine, ranges: Mapping[int, Range], maxima: Maxima | None = None
) -> Range:
    """Bounds of the witness's part of an expression, from the ranges of its tensors, and of maxima in it."""
    folded = affine if maxima is None else maxima.fold(affine)
    return folded_range(system, folded, ranges, maxima)


def folded_range(system: System, affine: Affine, ranges: Mapping[int, Range], maxima: Maxima | None) -> Range:
    """Bounds of an expression in which maxima have been folded already."""
    found = [_constant_part(constant) for constant in affine.constants]
    for term in affine.terms:
        if term.tensor < 0 and maxima is not None:
            number = -1 - term.tensor
            shape, own = system.tensors[maxima.gains[number]].shape, maxima.ranges[number]
        elif system.tensors[term.tensor].matrix is Matrix.WEIGHTS:
            continue
        else:
            shape, own = system.tensors[term.tensor].shape, ranges[term.tensor]
        found.append(_term_part(term, shape, own, affine.space))
    present = [_cut(part, affine.space) if part.intervals else part for part in found]
    ends = dict[Followed, set[int]]()
    for part in present:
        for axis, interval in part.intervals.items():
            ends.setdefault(axis, {0, size_along(affine.space, axis)}).update(interval)
    axes, cells = list[tuple[Followed, list[int]]](), 1
    for axis, cuts in ends.items():
        if cells * (len(cuts) - 1) * len(present) <= MAX_CELLS:
            cells *= len(cuts) - 1
            axes.append((axis, sorted(cuts)))
    if axes and maxima is not None and not maxima.afford(cells * len(present)):
        axes = []
    return _bounds(present, axes)


def _cut(part: _Part, space: Shape) -> _Part:
    """The part without intervals that are whole axes, so that axes to compare have two cells or more; a
    part that is nowhere is 0.
    """
    own = part.intervals.items()
    if any(first >= end for _, (first, end) in own):
        return _Part((0, 0), {})
    return _Part(part.range, {axis: ends for axis, ends in own if ends != (0, size_along(space, axis))})


def _bounds(present: Sequence[_Part], axes: Sequence[tuple[Followed, list[int]]]) -> Range:
    """Bounds of a sum of parts, cell by cell of the first axis."""
    if not axes:
        # A part with an interval that is left is there in some cells only.
        values = [(*part.range, 0) if part.intervals else part.range for part in present]
        return sum(map(min, values)), sum(map(max, values))
    (axis, ends), *others = axes
    found = []
    for first, end in pairwise(ends):
        cell = []
        for part in present:
            low, high = part.intervals.get(axis, (first, end))
            if low <= first and end <= high:
                remaining = {own: interval for own, interval in part.intervals.items() if own != axis}
                cell.append(_Part(part.range, remaining))
        found.append(_bounds(cell, others))
    return min(low for low, _ in found), max(high for _, high in found)


def _constant_part(constant: Constant) -> _Part:
    intervals = {axis: (first, end) for axis, first, end in constant.ranges}
    return _Part((constant.value, constant.value), intervals)


def _term_part(term: Term, shape: Shape, range_: Range, space: Shape) -> _Part:
    intervals = dict[Followed, Range]()
    least, most = range_
    for axis, size in zip(term.axes, shape, strict=True):
        if isinstance(axis, Window):
            scales = axis.scale or (1,)
            if axis.taps == 1:
                first, end = places_inside(axis.offset, axis.stride, size)
                first, end = max(axis.first, first), min(axis.end, end)
                intervals[axis.axis] = (first, end) if first < end else (0, 0)
            else:
                # Places outside the tensor count as 0, so a sum has any number of taps.
                scales = (*scales, 0)
            ends = [s * axis.taps * end for s in scales for end in (least, most)]
            least, most = min(ends), max(ends)
    ends = [term.coefficient * end for end in (least, most)]
    return _Part((min(ends), max(ends)), intervals)
