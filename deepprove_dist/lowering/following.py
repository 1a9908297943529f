"""An axis of an expression replaced by the positions of a map: what followed the axis follows these.

Let a term follow the axis through a map L, and let M lead from the new positions to the axis. Then it follows
the new positions through M, then L. That is one map again, if need be with a list of indices. A term that
lacks the axis covers the positions that have an index, and so does a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.canonical import replace
from deepprove_dist.protocol.system.index_map import Axis, IndexMap, positions
from deepprove_dist.protocol.system.system import Affine, Constant, Term
from deepprove_dist.protocol.system.table import Interval

LONGEST_LIST = 1 << 12
"""Of a map of a map: what would need more is better committed first."""
MOST_RUNS = 16
"""Of a term or a constant that covers parts of an axis: each run makes another one."""


Shapes = Callable[[int], Shape]
"""The shape of a tensor by its number."""


def follow(
    value: Affine,
    axis: IndexMap,
    fill: int = 0,
    outputs: int | None = None,
    shapes: Shapes | None = None,
) -> Affine | None:
    """The expression with the one axis that a map follows replaced by so many positions, `axis.end` if None.

    Positions whose index is outside have the value `fill`, which needs a map of one tap. None where a term or
    a constant follows that axis in a way that a single map does not express. Some maps of maps are expressed
    where the tensors' shapes are known alone.
    """
    (replaced,) = axis.axes
    count = axis.end if outputs is None else outputs
    step = _Replacement(value.space, axis, count)
    terms, constants = list[Term](), list[Constant]()
    for term in value.terms:
        followed = step.of_axes(term.axes, None if shapes is None else shapes(term.tensor))
        if followed is None:
            return None
        terms += [replace(term, axes=axes) for axes in followed]
    for constant in value.constants:
        covers = step.of_axes(constant.within)
        if covers is None:
            return None
        constants += [replace(constant, within=_covers(within)) for within in covers]
    if fill:
        constants += [Constant(fill, (step.cover(run),)) for run in _gaps(step.runs, count)]
    space = (*value.space[:replaced], count, *value.space[replaced + 1 :])
    return Affine(space, tuple(terms), tuple(constants))


def compose(
    outer: IndexMap, inner: IndexMap, space: Shape, outputs: int, size: int | None = None
) -> IndexMap | None:
    """The map `outer` of axes of a space, one of which the positions of `inner` take the place of.

    `outer` leads to an axis of so many indices. None where that is not one map, or its list is too long.
    """
    if inner.taps != 1 or inner.scale or outer.input is not None:
        return None
    is_arithmetic = outer.listed is None and outer.axes == inner.axes and inner.listed is None
    if not is_arithmetic and (outer.taps != 1 or size is None):
        return None
    before = _before(outer, inner, space, outputs)
    counts = (outer.first <= before) & (before < outer.end)
    if is_arithmetic:
        places = np.flatnonzero(counts)
        first, end = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)
        composed = replace(
            outer,
            first=first,
            end=end,
            offset=outer.start + outer.stride * inner.start,
            stride=outer.stride * inner.stride,
            scale=(),
        )
    else:
        assert size is not None, "known for lists"
        indices = _indices(outer, size, positions(space, outer))
        reached = np.where(counts, indices[np.maximum(before, 0)], -1)
        composed = IndexMap.listing(outer.axes, reached.tolist())
    if composed.listed is not None and len(composed.listed) > LONGEST_LIST:
        return None
    if outer.scale:
        factors = np.where(counts, np.asarray(outer.scale)[np.maximum(before, 0)], 0)
        composed = replace(composed, scale=tuple(factors.tolist()))
    return composed


class _Replacement:
    """One axis of a space replaced by the positions of a map; `runs` are those that have an index."""

    def __init__(self, space: Shape, axis: IndexMap, outputs: int) -> None:
        (self._replaced,) = axis.axes
        self._space, self._axis, self._outputs = space, axis, outputs
        self.runs = axis.runs(space[self._replaced])

    def cover(self, run: Interval) -> IndexMap:
        """The positions of a run."""
        return IndexMap.covering(self._axis.axes, *run)

    def of_axes(self, axes: Sequence[Axis], shape: Shape | None = None) -> list[tuple[Axis, ...]] | None:
        """What a term or a constant follows now, in place of `axes`: several such where it has several runs.

        `shape` is that of the term's tensor, if it is known. None where that is no map.
        """
        for index, axis in enumerate(axes):
            instead: Sequence[Axis] | None = [self._axis]
            if isinstance(axis, IndexMap):
                if self._replaced not in axis.axes:
                    continue
                instead = self._of_map(axis, shape[index] if shape and index < len(shape) else None)
            elif axis != self._replaced:
                continue
            if instead is None:
                return None
            return [(*axes[:index], one, *axes[index + 1 :]) for one in instead]
        if self.runs == [(0, self._outputs)] and self._is_selection:
            return [tuple(axes)]
        if len(self.runs) > MOST_RUNS or not self._is_selection:
            return None
        return [(*axes, self.cover(run)) for run in self.runs]

    @property
    def _is_selection(self) -> bool:
        """Whether each position has one element, or none."""
        return self._axis.taps == 1 and not self._axis.scale

    def _of_map(self, outer: IndexMap, size: int | None) -> list[IndexMap] | None:
        """A map with the new positions, to an axis of so many indices if that is known."""
        if not outer.is_cover:
            composed = compose(outer, self._axis, self._space, self._outputs, size)
            return None if composed is None else [composed]
        if not self._is_selection:
            return None
        before = _before(outer, self._axis, self._space, self._outputs)
        covered = np.where((outer.first <= before) & (before < outer.end), 0, -1)
        runs = IndexMap(outer.axes, 0, len(covered), tuple(covered.tolist()), 0).runs(1)
        return (
            [replace(outer, first=first, end=end) for first, end in runs] if len(runs) <= MOST_RUNS else None
        )


def _before(outer: IndexMap, inner: IndexMap, space: Shape, outputs: int) -> IntArray:
    """For each position of a map's axes, with the new ones, the position it was at before; -1 for none."""
    (replaced,) = inner.axes
    before, none = np.zeros((), dtype=np.int64), np.zeros((), dtype=bool)
    for axis in outer.axes:
        indices = np.arange(space[axis])
        if axis == replaced:
            indices = _indices(inner, space[axis], outputs)
        before = before[..., None] * space[axis] + indices
        none = none[..., None] | (indices < 0)
    flat: IntArray = np.where(none, -1, before).reshape(-1)
    return flat


def _indices(axis: IndexMap, size: int, outputs: int) -> IntArray:
    """The index of each position of a map of one tap; -1 where it has none."""
    if axis.listed is not None:
        return np.array(axis.listed, dtype=np.int64)
    h = np.arange(outputs)
    indices = axis.start + axis.stride * h
    inside = (axis.first <= h) & (h < axis.end) & (indices >= 0) & (indices < size)
    return np.where(inside, indices, -1)


def _gaps(runs: Sequence[Interval], end: int) -> list[Interval]:
    """The positions outside of runs, as runs."""
    starts, ends = (0, *(end for _, end in runs)), (*(first for first, _ in runs), end)
    return [(first, last) for first, last in zip(starts, ends, strict=True) if first < last]


def _covers(axes: Sequence[Axis]) -> tuple[IndexMap, ...]:
    return tuple(axis for axis in axes if isinstance(axis, IndexMap))
