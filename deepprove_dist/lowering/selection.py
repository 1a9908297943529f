"""Elements of a value at listed indices of one dimension, as a view: also of an accumulator.

A dimension may be several axes. Where the indices are those of one of them, for all positions of the others,
that axis follows the list. A product is selected in its factors: positions of its output axis lead to indices
of whatever factor has that axis. Only where neither is possible, the value is committed first.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.following import Shapes, compose, follow
from deepprove_dist.lowering.rearrange import rearranged
from deepprove_dist.lowering.views import Reader, axes_of_dimensions
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Factor, Product


def select(
    reader: Reader, name: str, value: Expression, dimension: int, indices: Sequence[int], fill: int
) -> Expression:
    """The value, called `name`, with its elements at `indices` of a dimension; -1 has the value `fill`."""
    value = reader.aligned(name, value, value.shape)
    selected = _view(value, dimension, indices, fill, reader.shape_of)
    if selected is None:
        known = reader.slidable(name, value, [dimension])
        (axis,) = known.axes[dimension]
        stored = Expression(value.shape, known.value, (), (0, 0))
        selected = _selected(stored, dimension, axis, indices, fill, reader.shape_of)
    assert selected is not None, "any list follows an axis of a tensor"
    return selected


def _view(
    value: Expression, dimension: int, indices: Sequence[int], fill: int, shapes: Shapes
) -> Expression | None:
    """The selection from a value as it is; None where that is no view."""
    groups = axes_of_dimensions(value)
    axes = groups[dimension]
    if not axes:
        before = [axis for group in groups[:dimension] for axis in group]
        after = [axis for group in groups[dimension:] for axis in group]
        axis = before[-1] + 1 if before else min(after, default=len(value.space))
        return _selected(_with_axis(value, axis), dimension, axis, indices, fill, shapes)
    along = _of_one_axis([value.space[axis] for axis in axes], indices)
    if along is None:
        return None
    return _selected(value, dimension, axes[along[0]], along[1], fill, shapes)


def _of_one_axis(sizes: Sequence[int], indices: Sequence[int]) -> tuple[int, Sequence[int]] | None:
    """The axis, of those that make a dimension, along which indices select, and its indices.

    None where they select along several.
    """
    if len(sizes) == 1:
        return 0, indices
    listed = np.array(indices, dtype=np.int64)
    for index, size in enumerate(sizes):
        outer, inner = prod(sizes[:index]), prod(sizes[index + 1 :])
        if len(listed) % (outer * inner):
            continue
        cube = listed.reshape(outer, -1, inner)
        along = np.where(cube[0, :, 0] < 0, -1, cube[0, :, 0] // inner)
        a, c = np.arange(outer)[:, None, None], np.arange(inner)
        expected = (a * size + along[:, None]) * inner + c
        if np.array_equal(cube, np.where(along[:, None] < 0, -1, expected)):
            return index, along.tolist()
    return None


def _with_axis(value: Expression, axis: int) -> Expression:
    """The value with a further axis of size 1."""
    space = (*value.space[:axis], 1, *value.space[axis:])
    return rearranged(value, value.shape, space, [(k + (k >= axis),) for k in range(len(value.space))])


def _selected(
    value: Expression, dimension: int, axis: int, indices: Sequence[int], fill: int, shapes: Shapes
) -> Expression | None:
    """The value with one of its axes, of those that make a dimension, replaced by these indices of it."""
    along, count = IndexMap.listing((axis,), indices), len(indices)
    affine = follow(value.value, along, fill, count, shapes)
    products = [_selected_product(product, value.space, along, count, shapes) for product in value.products]
    present = tuple(product for product in products if product is not None)
    if affine is None or len(present) < len(products):
        return None
    size = value.shape[dimension] // value.space[axis] * count
    shape: Shape = (*value.shape[:dimension], size, *value.shape[dimension + 1 :])
    low, high = value.weight_bounds
    bounds = (min(low, 0), max(high, 0)) if min(indices) < 0 else (low, high)
    return Expression(shape, affine, present, bounds)


def _selected_product(
    product: Product, space: Shape, along: IndexMap, count: int, shapes: Shapes
) -> Product | None:
    """A product with positions of a map in place of the output axis that the map follows."""
    (axis,) = along.axes
    factors, taps = list[Factor](), list[IndexMap]()
    for factor in (product.left, product.right):
        if axis in factor.axes:
            within = replace(along, axes=(factor.axes.index(axis),))
            value = follow(factor.value, within, 0, count, shapes)
            if value is None:
                return None
            factors.append(replace(factor, value=value))
        else:
            factors.append(factor)
    for one in product.taps:
        composed = compose(one.map, along, space, count) if axis in one.map.axes else one.map
        if composed is None or composed.listed is not None:
            return None
        taps.append(composed)
    left, right = factors
    changed = tuple(replace(one, map=map_) for one, map_ in zip(product.taps, taps, strict=True))
    return replace(product, taps=changed, left=left, right=right)
