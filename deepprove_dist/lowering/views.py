"""Views that operators lower to: axes cut, put in order, and followed by index maps. They cost no relation.

A view is taken of an expression where that is possible. It is not where a map follows an axis already. Nor is
it where a map of several taps would meet constants, or axes have no common cut. Then the value is committed
first, as a tensor with whole axes, of which any view can be taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.lowering.axes import coarser_axes, finer_axes, grouped
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, moved
from deepprove_dist.lowering.following import Shapes, follow
from deepprove_dist.lowering.rearrange import cut
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class Dimensions:
    """An expression that knows its dimensions: `axes[k]` are those of dimension k of the shape."""

    value: Affine
    axes: tuple[tuple[int, ...], ...]


def dimensions(value: Expression, single: Sequence[int]) -> Dimensions | None:
    """The axes of each dimension; the dimensions `single` get exactly one, of size 1 where they have none.

    None where an axis would be cut, or a dimension in `single` has several.
    """
    groups = grouped(value.axes, value.shape)
    if groups is None or any(len(groups[k]) > 1 for k in single):
        return None
    # A shape without dimensions may have axes of size 1, which stay.
    others = len(value.axes) - sum(map(len, groups))
    space, places, axes = [BATCH, *value.axes[:others]], [*range(1 + others)], []
    for dimension, group in enumerate(groups):
        start = len(space)
        places += range(start, start + len(group))
        space += group
        if not group and dimension in single:
            space.append(1)
        axes.append(tuple(range(start, len(space))))
    return Dimensions(moved(value.value, tuple(space), [(axis,) for axis in places]), tuple(axes))


def axes_of_dimensions(value: Expression) -> tuple[tuple[int, ...], ...]:
    """The axes of each dimension of an aligned value; other ones, of size 1, belong to none."""
    known = dimensions(value, ())
    assert known is not None, "the value is aligned"
    return known.axes


class Reader:
    """What a node of this name reads its inputs through. Each is given with its own name, which its integers
    have in an inference.
    """

    def __init__(self, node: str, intervals: Mapping[str, Interval], builder: Builder) -> None:
        self._node, self._intervals, self._builder = node, intervals, builder

    def shape_of(self, tensor: int) -> Shape:
        """The shape of a committed tensor."""
        return self._builder.shape_of(tensor)

    def aligned(self, name: str, value: Expression, shape: Shape) -> Expression:
        """The value with axes of which whole ones make each dimension of `shape`."""
        if grouped(value.axes, shape) is not None:
            return value
        dimensions = tuple(size for size in shape if size != 1)
        finer = finer_axes(value.axes, dimensions)
        if finer is None:
            return cut(self._store(name, value, coarser_axes(value.axes, dimensions)), dimensions)
        return cut(value, finer)

    def together(self, named: Sequence[tuple[str, Expression]]) -> list[Expression]:
        """Values of one shape with the same axes."""
        values = [value for _, value in named]
        # Accumulators first: to commit others costs less.
        order = sorted(range(len(named)), key=lambda index: not values[index].is_accumulator)
        finer = values[order[0]].axes
        for index in order:
            name, value = named[index]
            both = finer_axes(finer, value.axes)
            if both is None:
                values[index] = self._store(name, value, coarser_axes(finer, value.axes))
            else:
                finer = both
        return [cut(value, finer) for value in values]

    def with_whole_axes(self, name: str, value: Expression) -> Expression:
        """The value with one axis for each dimension, committed unless it has these axes."""
        value = self.aligned(name, value, value.shape)
        return self._store(name, value, tuple(size for size in value.shape if size != 1))

    def dimensions(self, name: str, value: Expression, single: Sequence[int]) -> Dimensions:
        """The value, not an accumulator any more, with exactly one axis for each dimension in `single`."""
        value = self.aligned(name, value, value.shape)
        if value.is_accumulator:
            value = self._store(name, value, value.axes)
        known = dimensions(value, single)
        if known is None:
            groups = grouped(value.axes, value.shape) or ()
            whole = [_as_one(group) if k in single else group for k, group in enumerate(groups)]
            known = dimensions(self._store(name, value, tuple(chain(*whole))), single)
        assert known is not None, "a tensor with whole axes has one for each dimension"
        return known

    def slidable(
        self, name: str, value: Expression, sliding: Sequence[int], single: Sequence[int] = ()
    ) -> Dimensions:
        """The value with one axis for each dimension in `sliding` and in `single`.

        Maps of one tap can follow the former.
        """
        single = (*sliding, *single)
        known = self.dimensions(name, value, single)
        for dimension in sliding:
            if not _is_followed(known.value, known.axes[dimension][0]):
                stored = self._store_with_axes(name, value, known)
                return Dimensions(stored.value, known.axes)
        return known

    def summable(self, name: str, value: Expression, dimension: int) -> Affine:
        """The value with one axis for a dimension, which a map of any taps can follow."""
        known = self.slidable(name, value, [dimension])
        return self._store_with_axes(name, value, known).value if known.value.constants else known.value

    def slide(
        self, name: str, value: Expression, maps: Sequence[IndexMap], single: Sequence[int] = ()
    ) -> Dimensions:
        """The value with dimensions replaced by the positions of maps, each of which follows one dimension;
        indices outside count as 0. These dimensions, and those in `single`, have one axis each.
        """
        single = (*single, *(dimension for one in maps for dimension in one.axes))
        known = self.dimensions(name, value, single)
        view = slide(known, maps, shapes=self.shape_of)
        if view is None:
            stored = self._store_with_axes(name, value, known)
            # It has the same axes: those of size 1 belong to the dimensions that they did.
            view = slide(Dimensions(stored.value, known.axes), maps)
        assert view is not None, "any map follows the axes of a tensor"
        return view

    def _store_with_axes(self, name: str, value: Expression, known: Dimensions) -> Expression:
        """The value as a tensor that has an axis for each dimension that needs one, of size 1 too."""
        whole = Expression(value.shape, known.value, (), (0, 0))
        return self._store(name, whole, whole.axes)

    def _store(self, name: str, value: Expression, axes: Shape) -> Expression:
        label, source = f"{self._node} input", Source(name)
        if value.is_accumulator:
            return self._builder.store_in_limbs(label, value, source, axes, self._intervals[name])
        return self._builder.store(label, value, source, axes)


def _is_followed(value: Affine, axis: int) -> bool:
    """Whether every term follows an axis plainly, and no constant is on a part of it."""
    parts = any(axis in cover.axes for constant in value.constants for cover in constant.within)
    return not parts and all(axis in term.axes for term in value.terms)


def _as_one(group: Shape) -> Shape:
    """The axes of a dimension as one; none stays none."""
    return (prod(group),) if group else ()


def slide(
    known: Dimensions, maps: Sequence[IndexMap], fill: int = 0, shapes: Shapes | None = None
) -> Dimensions | None:
    """Dimensions of one axis each, replaced by the positions of maps; indices outside count as `fill`.

    A map's one axis is a dimension. None where an expression cannot have these maps.
    """
    value = known.value
    for one in maps:
        (dimension,) = one.axes
        moved = follow(value, replace(one, axes=known.axes[dimension]), fill, shapes=shapes)
        if moved is None:
            return None
        value = moved
    return Dimensions(value, known.axes)
