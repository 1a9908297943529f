"""The integers of an affine expression, from the integers of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.system.index_map import IndexMap, followed, positions
from deepprove_dist.protocol.system.system import Affine, Constant, System, Term


def evaluate_affine(system: System, affine: Affine, tensors: Mapping[int, Integers]) -> IntArray:
    """The expression's integers, int64 of its space's shape; tensors are given by index, flat or not."""
    total = np.zeros(affine.space, dtype=np.int64)
    add_affine(total, system, affine, tensors)
    return total


def add_affine(total: IntArray, system: System, affine: Affine, tensors: Mapping[int, Integers]) -> None:
    """Adds the expression's integers to an array of its space's shape."""
    for term, slices in zip(affine.terms, affine.slices, strict=True):
        array = tensors[term.tensor].reshape(term.sizes(system.tensors[term.tensor].shape))
        if slices is None or (part := array[slices]).shape != affine.space:
            part = _spread(affine, term, array)
        if term.coefficient == 1:
            total += part
        elif term.coefficient == -1:
            total -= part
        else:
            # A product would be another array. Weights may be integers of few bits.
            total += np.multiply(part, term.coefficient, dtype=np.int64)
    for constant in affine.constants:
        _add_constant(total, constant)


def _spread(affine: Affine, term: Term, array: IntArray) -> IntArray:
    """The values of a term's tensor at all positions of the expression; axes of size 1 stand for any."""
    # From the last axis on, so that the positions of the others stay.
    for position, axis in reversed(list(enumerate(term.axes))):
        if isinstance(axis, IndexMap):
            count = positions(affine.space, axis)
            if not axis.is_identity(affine.space, array.shape[position]):
                array = _follow(array, position, axis, count)
            array = _cut(array, position, [affine.space[k] for k in followed(axis)])
    return _along(array, term.follows, len(affine.space))


def _cut(array: IntArray, position: int, sizes: Sequence[int]) -> IntArray:
    """One axis of an array cut into several; one of size 1 stands for all."""
    if len(sizes) == 1:
        return array
    sizes = sizes if array.shape[position] > 1 else [1] * len(sizes)
    return array.reshape(*array.shape[:position], *sizes, *array.shape[position + 1 :])


def _along(array: IntArray, axes: Sequence[int], rank: int) -> IntArray:
    """An array whose axes are these of `rank` axes, with an axis of size 1 for each other one."""
    order = [*axes, *(axis for axis in range(rank) if axis not in axes)]
    array = array[(..., *(None,) * (rank - array.ndim))]
    return array.transpose(sorted(range(rank), key=order.__getitem__))


def _add_constant(total: IntArray, constant: Constant) -> None:
    region, inside = [slice(None)] * total.ndim, np.array(constant.value)
    for cover in constant.within:
        if len(cover.axes) == 1:
            region[cover.axes[0]] = slice(cover.first, cover.end)
            continue
        index = np.arange(positions(total.shape, cover))
        covered = ((cover.first <= index) & (index < cover.end)).astype(np.int64)
        sizes = [total.shape[axis] for axis in cover.axes]
        inside = inside * _along(covered.reshape(sizes), cover.axes, total.ndim)
    total[tuple(region)] += inside


def _follow(array: IntArray, position: int, axis: IndexMap, count: int) -> IntArray:
    """One axis of an array replaced by the `count` positions of a map; of size 1, where all are the same."""
    before, size = (slice(None),) * position, array.shape[position]
    if axis.listed is not None:
        return _scaled(_taken(array, position, axis.listed), position, axis)
    taps = [_tap(axis, tap, size) for tap in range(axis.taps)]
    if len(taps) == 1 and taps[0][:2] == (0, count) and not axis.scale:
        return array[(*before, taps[0][2])]
    result = np.zeros((*array.shape[:position], count, *array.shape[position + 1 :]), dtype=np.int64)
    for first, end, indices in taps:
        if first < end:
            result[(*before, slice(first, end))] += array[(*before, indices)]
    return _scaled(result, position, axis)


def _taken(array: IntArray, position: int, indices: Sequence[int]) -> IntArray:
    """One axis of an array replaced by the elements at these indices; 0 at -1."""
    listed = np.array(indices, dtype=np.int64)
    taken = array.take(np.maximum(listed, 0), axis=position)
    taken[(slice(None),) * position + (listed < 0,)] = 0
    return taken


def _scaled(array: IntArray, position: int, axis: IndexMap) -> IntArray:
    """An array times the factors of a map, which belong to one axis of it."""
    if not axis.scale:
        return array
    factors = np.array(axis.scale, dtype=np.int64).reshape(-1, *(1,) * (array.ndim - position - 1))
    scaled: IntArray = array * factors
    return scaled


def _tap(axis: IndexMap, tap: int, size: int) -> tuple[int, int, slice]:
    """The positions, first to end, for which one tap of a map is inside, and its indices."""
    first, end = axis.inside(size, tap)
    start = axis.start + tap * axis.dilation
    # A single index, of a map that does not move, is that of all positions.
    indices = slice(start + first * axis.stride, start + (end - 1) * axis.stride + 1, axis.stride or 1)
    return first, end, indices
