"""Affine expressions under a product of one weight vector an axis: as terms of a claim, or in integers.

With weights w_a on the axes of an expression (eq of a point's coordinates, or any values), a term that lacks
an axis takes that axis's sum of weights, a window pulls its axis's weights back to the tensor's axis, and a
constant counts for the places it covers: the value is a sum of inner products with tensors, plus a number.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deepprove_dist import kernels
from deepprove_dist.kernels import AxisVector, Extension, ExtensionVector
from deepprove_dist.protocol.claims import ONE, ProductTerm
from deepprove_dist.protocol.relations.system import Affine, Constant, System, Window

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AxisWeights:
    """Weights on an axis of `size` places: eq of coordinates, or explicit values where there are no
    coordinates.
    """

    size: int
    point: ExtensionVector | None
    explicit: ExtensionVector | None = None

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


def affine_terms(
    system: System, affine: Affine, weights: Sequence[AxisWeights], scale: Extension
) -> tuple[list[ProductTerm], Extension]:
    """scale * the weighted expression: terms over tensors, and the part that is known."""
    terms = []
    for term in affine.terms:
        present = {axis.axis if isinstance(axis, Window) else axis for axis in term.axes}
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
        order = []
        for place, axis in enumerate(term.axes):
            if isinstance(axis, Window):
                array = _slide(array, place, axis, affine.space[axis.axis])
            order.append(axis.axis if isinstance(axis, Window) else axis)
        order += [axis for axis in range(len(affine.space)) if axis not in order]
        array = array[(..., *(None,) * (len(order) - array.ndim))]
        array = array.transpose(sorted(range(len(order)), key=order.__getitem__))
        # A product would be another array.
        total += array if term.coefficient == 1 else term.coefficient * array
    for constant in affine.constants:
        places = [slice(None)] * len(affine.space)
        for axis, first, end in constant.ranges:
            places[axis] = slice(first, end)
        total[tuple(places)] += constant.value
    return total


def _axis_vector(axis: int | Window, size: int, weights: Sequence[AxisWeights]) -> AxisVector:
    if not isinstance(axis, Window):
        return weights[axis].vector
    window = kernels.Window(size, axis.taps, axis.stride, axis.dilation, axis.offset)
    return AxisVector.explicit(
        window.pull(weights[axis.axis].dense.weigh(_scale(axis, weights[axis.axis].size)))
    )


def _scale(axis: Window, size: int) -> list[int]:
    scale = axis.scale or (1,) * size
    return [scale[h] if axis.first <= h < axis.end else 0 for h in range(size)]


def _covered(constant: Constant, weights: Sequence[AxisWeights]) -> Extension:
    """The sum of the weights of the places that a constant covers."""
    ranges = {axis: (first, end) for axis, first, end in constant.ranges}
    product = ONE
    for axis, own in enumerate(weights):
        product *= own.sum(*ranges[axis]) if axis in ranges else own.total
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
    inside = _inside(offset, axis.stride, size)
    first, end = max(axis.first, inside[0]), min(axis.end, outputs, inside[1])
    # A single place, of a window that does not move, is that of all outputs.
    places = slice(offset + first * axis.stride, offset + (end - 1) * axis.stride + 1, axis.stride or 1)
    return first, end, places


def _inside(offset: int, stride: int, size: int) -> tuple[int, int]:
    """The outputs h, first to end, with 0 <= stride h + offset < size."""
    if stride == 0:
        return (0, sys.maxsize) if 0 <= offset < size else (0, 0)
    return -(offset // stride), (size - 1 - offset) // stride + 1
