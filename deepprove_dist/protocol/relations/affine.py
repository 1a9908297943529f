"""Affine expressions under a product of one weight vector an axis: as terms of a claim, or in integers.

With weights w_a on the axes of an expression (eq of a point's coordinates, or any values), a term that lacks
an axis takes that axis's sum of weights, joined axes have the products of their weights, a window pulls its
axis's weights back to the tensor's axis, and a constant counts for the places it covers: the value is a sum
of inner products with tensors, plus a number.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import prod

import numpy as np
import numpy.typing as npt

from deepprove_dist import kernels
from deepprove_dist.kernels import AxisVector, Extension, ExtensionVector
from deepprove_dist.protocol.claims import ONE, ProductTerm
from deepprove_dist.protocol.relations.system import (
    Affine,
    Constant,
    Followed,
    Joined,
    System,
    Window,
    parts,
    size_along,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AxisWeights:
    """Weights on an axis of `size` places: eq of coordinates, or explicit values where there are no
    coordinates.
    """

    size: int
    point: ExtensionVector | None
    explicit: ExtensionVector | None = None

    @classmethod
    def joined(cls, axes: Sequence[AxisWeights]) -> AxisWeights:
        """The weights of several axes taken as one: at each index the product of theirs."""
        size = prod(own.size for own in axes)
        points = [own.point for own in axes]
        # Where all axes but the first are whole powers of two, the coordinates of all are those of the index.
        if closed_form([own.size for own in axes]) and None not in points:
            none = ExtensionVector.from_bytes(b"")
            return cls(size, reduce(ExtensionVector.__add__, (p for p in points if p is not None), none))
        return cls(size, None, reduce(ExtensionVector.outer, (own.dense for own in axes)))

    @cached_property
    def dense(self) -> ExtensionVector:
        """All weights."""
        if self.explicit is not None:
            return self.explicit
        assert self.point is not None
        return ExtensionVector.eq(self.point)[: self.size]

    @cached_property
    def vector(self) -> AxisVector:
        """The weights as an axis vector of a term."""
        return AxisVector.explicit(self.dense) if self.point is None else AxisVector.eq(self.point)

    @cached_property
    def total(self) -> Extension:
        """The sum of all weights."""
        return self.sum(0, self.size)

    def sum(self, first: int, end: int) -> Extension:
        """The sum of the weights of places first, ..., end - 1."""
        if self.point is None:
            return self.dense[first:end].dot(ExtensionVector([1] * (end - first)))
        return self.point.eq_prefix_sum(end) - self.point.eq_prefix_sum(first)


def closed_form(sizes: Sequence[int]) -> bool:
    """Whether eq on axes of these sizes, joined, is eq of one point: bits of indices then stand side by
    side.
    """
    return all(size & (size - 1) == 0 for size in sizes[1:])


def weights_along(weights: Sequence[AxisWeights], axis: Followed | Window) -> AxisWeights:
    """The weights of the axis, or of the joined axes, that an axis follows."""
    own = parts(axis)
    return weights[own[0]] if len(own) == 1 else AxisWeights.joined([weights[k] for k in own])


def affine_terms(
    system: System, affine: Affine, weights: Sequence[AxisWeights], scale: Extension
) -> tuple[list[ProductTerm], Extension]:
    """scale * the weighted expression: terms over tensors, and the part that is known."""
    terms = []
    for term in affine.terms:
        present = set(term.follows)
        coefficient = scale * term.coefficient
        for axis, own in enumerate(weights):
            if axis not in present:
                coefficient *= own.total
        shape = system.tensors[term.tensor].shape
        vectors = (_axis_vector(axis, size, weights) for axis, size in zip(term.axes, shape, strict=True))
        terms.append(ProductTerm(coefficient, term.tensor, tuple(vectors)))
    known = Extension(0)
    for constant in affine.constants:
        known += scale * constant.value * _covered(constant, weights)
    return terms, known


def evaluate_affine(system: System, affine: Affine, tensors: Mapping[int, IntArray]) -> IntArray:
    """The expression's integers, of its space's shape; tensors are given by index, flat or not."""
    total = np.zeros(affine.space, dtype=np.int64)
    for term in affine.terms:
        array = tensors[term.tensor].reshape(system.tensors[term.tensor].shape)
        # From the last axis on, so that the places of the others stay.
        for place, axis in reversed(list(enumerate(term.axes))):
            if isinstance(axis, Window):
                array = _slide(array, place, axis, size_along(affine.space, axis))
            array = _cut(array, place, [affine.space[own] for own in parts(axis)])
        array = _along(array, term.follows, len(affine.space))
        # A product would be another array.
        total += array if term.coefficient == 1 else term.coefficient * array
    for constant in affine.constants:
        _add_constant(total, constant)
    return total


def _cut(array: IntArray, place: int, sizes: Sequence[int]) -> IntArray:
    """One axis of an array cut into several; one of 1 place stands for all."""
    if len(sizes) == 1:
        return array
    sizes = sizes if array.shape[place] > 1 else [1] * len(sizes)
    return array.reshape(*array.shape[:place], *sizes, *array.shape[place + 1 :])


def _along(array: IntArray, axes: Sequence[int], rank: int) -> IntArray:
    """An array whose axes are these of `rank` axes, with an axis of 1 place for each other one."""
    order = [*axes, *(axis for axis in range(rank) if axis not in axes)]
    array = array[(..., *(None,) * (rank - array.ndim))]
    return array.transpose(sorted(range(rank), key=order.__getitem__))


def _add_constant(total: IntArray, constant: Constant) -> None:
    places, inside = [slice(None)] * total.ndim, np.array(constant.value)
    for axis, first, end in constant.ranges:
        if isinstance(axis, Joined):
            index = np.arange(size_along(total.shape, axis))
            covered = ((first <= index) & (index < end)).astype(np.int64)
            sizes = [total.shape[own] for own in axis.axes]
            inside = inside * _along(covered.reshape(sizes), axis.axes, total.ndim)
        else:
            places[axis] = slice(first, end)
    total[tuple(places)] += inside


def _axis_vector(axis: Followed | Window, size: int, weights: Sequence[AxisWeights]) -> AxisVector:
    own = weights_along(weights, axis)
    if not isinstance(axis, Window):
        return own.vector
    window = kernels.Window(size, axis.taps, axis.stride, axis.dilation, axis.offset)
    return AxisVector.explicit(window.pull(own.dense.weigh(_scale(axis, own.size))))


def _scale(axis: Window, size: int) -> list[int]:
    scale = axis.scale or (1,) * size
    return [scale[h] if axis.first <= h < axis.end else 0 for h in range(size)]


def _covered(constant: Constant, weights: Sequence[AxisWeights]) -> Extension:
    """The sum of the weights of the places that a constant covers."""
    product, ranged = ONE, set[int]()
    for axis, first, end in constant.ranges:
        product *= weights_along(weights, axis).sum(first, end)
        ranged.update(parts(axis))
    for index, own in enumerate(weights):
        if index not in ranged:
            product *= own.total
    return product


def _slide(array: IntArray, place: int, axis: Window, outputs: int) -> IntArray:
    """One axis of an array replaced by the output axis of a window; of 1 place, where all are the same."""
    before, size = (slice(None),) * place, array.shape[place]
    taps = [_tap(axis, axis.offset + tap * axis.dilation, size, outputs) for tap in range(axis.taps)]
    if len(taps) == 1 and taps[0][:2] == (0, outputs) and not axis.scale:
        return array[(*before, taps[0][2])]
    result = np.zeros((*array.shape[:place], outputs, *array.shape[place + 1 :]), dtype=np.int64)
    for first, end, places in taps:
        if first < end:
            result[(*before, slice(first, end))] += array[(*before, places)]
    if axis.scale:
        result *= np.array(axis.scale, dtype=np.int64).reshape(-1, *(1,) * (array.ndim - place - 1))
    return result


def _tap(axis: Window, offset: int, size: int, outputs: int) -> tuple[int, int, slice]:
    """The outputs, first to end, for which one tap of a window is inside, and its places."""
    inside = places_inside(offset, axis.stride, size)
    first, end = max(axis.first, inside[0]), min(axis.end, outputs, inside[1])
    # A single place, of a window that does not move, is that of all outputs.
    places = slice(offset + first * axis.stride, offset + (end - 1) * axis.stride + 1, axis.stride or 1)
    return first, end, places


def places_inside(offset: int, stride: int, size: int) -> tuple[int, int]:
    """The outputs h, first to end, with 0 <= stride h + offset < size."""
    if stride == 0:
        return (0, sys.maxsize) if 0 <= offset < size else (0, 0)
    return -(offset // stride), (size - 1 - offset) // stride + 1
