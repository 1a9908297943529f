"""Expressions and the factors of products, index by index as they are defined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product as choices
from math import prod

import numpy as np

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.relations.contraction import ProductInstance
from deepprove_dist.protocol.system.index_map import Axis
from deepprove_dist.protocol.system.system import Affine, Constant, Factor, Taps, Term, axis_bits
from tests.attacks.arithmetic import ONE, ZERO, Values

Index = tuple[int, ...]
"""One number for each axis."""

Tensors = Mapping[int, IntArray]
"""The values of each tensor, of its shape."""


def hypercube_index(index: Index, space: Shape) -> int:
    """The number of an index among the corners of the hypercube of all axes' bits."""
    corner = 0
    for i, size in zip(index, space, strict=True):
        corner = (corner << axis_bits(size)) + i
    return corner


def expression_values(affine: Affine, tensors: Tensors) -> dict[Index, Extension]:
    """The value at every index of an expression's index space."""
    values = {}
    for index in np.ndindex(*affine.space):
        total = constant_at(affine, index)
        for term in affine.terms:
            tensor = tensors[term.tensor]
            elements = met(term, tensor.shape, affine.space, index)
            total += sum(c * int(tensor[element]) for c, element in elements)
        values[index] = Extension(total % MODULUS)
    return values


def factor_values(instance: ProductInstance, factor: Factor, tensors: Tensors) -> Values:
    """A factor over the hypercube of the sumcheck: axes are bound to outputs, and to taps that meet them."""
    result = [ZERO] * (1 << instance.sumcheck.variables)
    for index, value in expression_values(factor.value, tensors).items():
        parts = (_bound(instance, axis, i) for axis, i in zip(factor.axes, index, strict=True))
        for choice in choices(*parts):
            weight, corner = value, []
            for scale, inner in choice:
                weight *= scale
                corner += inner
            result[hypercube_index(tuple(corner), instance.sumcheck.sizes)] += weight
    return result


def met(term: Term, shape: Shape, space: Shape, index: Index) -> Iterator[tuple[int, Index]]:
    """What a term takes of its tensor, of this shape, at an index: coefficients and the tensor's indices."""
    sizes = (*shape, *(1 for _ in term.axes[len(shape) :]))
    for choice in choices(
        *(_followed(axis, size, space, index) for axis, size in zip(term.axes, sizes, strict=True))
    ):
        met = tuple(i for _, i in choice)
        yield term.coefficient * prod(scale for scale, _ in choice), met[: len(shape)]


def constant_at(affine: Affine, index: Index) -> int:
    """The sum of an expression's constants at an index."""
    return sum(constant.value for constant in affine.constants if _covers(constant, affine.space, index))


def _position(axes: Sequence[int], space: Shape, index: Index) -> int:
    """The position along axes taken as one: the last runs fastest."""
    steps = [prod(space[axis] for axis in axes[k + 1 :]) for k in range(len(axes))]
    return sum(step * index[axis] for step, axis in zip(steps, axes, strict=True))


def _followed(axis: Axis, size: int, space: Shape, index: Index) -> list[tuple[int, int]]:
    """The indices of a tensor's axis that an index of the expression meets, and what scales them."""
    if isinstance(axis, int):
        return [(1, index[axis])]
    h = _position(axis.axes, space, index)
    if not axis.first <= h < axis.end:
        return []
    start = axis.start if axis.listed is None else axis.listed[h]
    met = (axis.stride * h + axis.dilation * tap + start for tap in range(axis.taps))
    return [(axis.scale[h] if axis.scale else 1, i) for i in met if 0 <= i < size]


def _covers(constant: Constant, space: Shape, index: Index) -> bool:
    return all(m.first <= _position(m.axes, space, index) < m.end for m in constant.within)


def _bound(instance: ProductInstance, axis: int, i: int) -> list[tuple[Extension, list[int]]]:
    """Weights of index i of a factor's axis, each with the index on the sumcheck's axis, if it has one."""
    outputs, contracted = len(instance.outputs), len(instance.product.contracted)
    if axis in instance.sumcheck.shared or axis >= outputs + contracted:
        return [(ONE, [i])]
    if axis < outputs:
        return [(instance.outputs[axis].dense[i], [])]
    meeting = [taps for taps in instance.product.taps if taps.contracted == axis - outputs]
    return _taps_of(instance, meeting[0], i) if meeting else [(ONE, [i])]


def _taps_of(instance: ProductInstance, taps: Taps, x: int) -> list[tuple[Extension, list[int]]]:
    """The taps that meet index x, each with the weight of the position at which it does."""
    weights = [ONE]
    for output in taps.map.axes:
        dense = instance.outputs[output].dense
        weights = [weight * dense[k] for weight in weights for k in range(len(dense))]
    result = []
    for h in range(taps.map.first, taps.map.end):
        factor = taps.map.scale[h] if taps.map.scale else 1
        for tap in range(taps.map.taps):
            if taps.map.stride * h + taps.map.dilation * tap + taps.map.start == x:
                result.append((weights[h] * factor, [tap]))
    return result
