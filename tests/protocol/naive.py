"""The definitions of the protocol, computed one field element at a time, and samples to compare them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.kernels import BlockDiagonalTerm, Extension, ExtensionVector, ProductTerm, Transcript
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.claims.sent import SentValue
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Affine, Matrix, Product, System, Tensor, Term

Values = Mapping[int, npt.NDArray[np.int64]]
"""The elements of tensors, by their index."""

OUTPUTS = 20
"""The label of an expression's first axis, above those of a tensor's."""


def challenges(seed: int, count: int) -> ExtensionVector:
    """Random extension elements."""
    transcript = Transcript(b"test")
    transcript.absorb("seed", seed.to_bytes(8, "little"))
    return transcript.challenges("challenges", count)


def positions(layout: Layout, tensor: int, shape: Shape) -> npt.NDArray[np.int64]:
    """The position of each element of a tensor, int64 of the tensor's shape."""
    result = np.empty(shape, dtype=np.int64)
    for block in layout.blocks[tensor]:
        part = tuple(slice(start, start + (1 << log)) for start, log in block.intervals)
        result[part] = np.arange(1 << block.log_size).reshape(result[part].shape) + block.position
    return result


def addresses(layout: Layout, tensor: int, shape: Shape) -> npt.NDArray[np.int64]:
    """The address of each element of a tensor in the opening's cube, int64 of the tensor's shape."""
    stored = positions(layout, tensor, shape)
    columns = np.array(layout.addresses, dtype=np.int64)[stored >> layout.log_rows]
    result: npt.NDArray[np.int64] = columns << layout.log_rows | stored & (1 << layout.log_rows) - 1
    return result


def items(vector: ExtensionVector) -> list[Extension]:
    return [vector[index] for index in range(len(vector))]


def eq(point: ExtensionVector) -> list[Extension]:
    """eq(point, i) for all i, the first coordinate belonging to the top bit of i."""
    values = [Extension(1)]
    for coordinate in items(point):
        values = [part for value in values for part in (value - value * coordinate, value * coordinate)]
    return values


def inner(values: npt.NDArray[np.int64], axes: Sequence[Sequence[Extension]]) -> Extension:
    """sum_i (product of axes[k][i_k]) * values[i]."""
    total = Extension(0)
    for index in np.ndindex(*values.shape):
        weight = Extension(int(values[index]))
        for position, axis in zip(index, axes, strict=True):
            weight *= axis[position]
        total += weight
    return total


def claimed(claim: Claim, system: System, layout: Layout, values: Values) -> Extension:
    """What the terms of a claim add up to for these tensors."""
    total = Extension(0)
    for term in claim.terms:
        assert isinstance(term, ProductTerm | BlockDiagonalTerm)
        shape = system.tensors[term.tensor].shape
        tensor = values[term.tensor].reshape(shape)
        if isinstance(term, ProductTerm):
            axes = [items(axis.dense(size)) for axis, size in zip(term.axes, shape, strict=True)]
            total += term.coefficient * inner(tensor, axes)
            continue
        for block, factor in zip(layout.blocks[term.tensor], items(term.factors), strict=True):
            part = tensor[tuple(slice(start, start + (1 << log)) for start, log in block.intervals)]
            weights = eq(term.point[len(term.point) - block.log_size :])
            total += term.coefficient * factor * inner(part.reshape(-1), [weights])
    return total


def holds(
    claim: Claim, system: System, layout: Layout, values: Values, pads: ExtensionVector | None = None
) -> bool:
    """The terms add up to the claim's value, less its pad part where there are pads."""
    true = claim.value if pads is None else SentValue(claim.value, claim.pads).true_value(pads)
    return claimed(claim, system, layout, values) == true


def system_of(witness: Sequence[Shape], weights: Sequence[Shape] = ()) -> System:
    """A system of tensors alone, those of the witness first."""
    tensors = [Tensor(f"x{index}", shape, Matrix.WITNESS) for index, shape in enumerate(witness)]
    tensors += [Tensor(f"w{index}", shape, Matrix.WEIGHTS) for index, shape in enumerate(weights)]
    return System(tuple(tensors), (), (), (), (), ())


def integers(seed: int, shape: Shape, bound: int = 1000) -> npt.NDArray[np.int64]:
    values = np.random.default_rng(seed).integers(-bound, bound, prod(shape), endpoint=True)
    return values.reshape(shape)


def whole(tensor: int, shape: Shape) -> Affine:
    """The expression that is a tensor of this shape."""
    return Affine(shape, (Term(1, tensor, tuple(range(len(shape)))),), ())


def affine_values(system: System, affine: Affine, values: Values) -> npt.NDArray[np.int64]:
    """An expression's integers: a cube for each index map, ones along the axes that a term lacks."""
    total = np.zeros(affine.space, dtype=np.int64)
    every = [OUTPUTS + axis for axis in range(len(affine.space))]
    for term in affine.terms:
        shape = system.tensors[term.tensor].shape
        shape += (1,) * (len(term.axes) - len(shape))
        operands: list[Any] = [values[term.tensor].reshape(shape), list(range(len(shape)))]
        for dimension, axis in enumerate(term.axes):
            if isinstance(axis, int):
                operands[1][dimension] = OUTPUTS + axis
                continue
            sizes = [affine.space[output] for output in axis.axes]
            cube = map_matrix(axis, shape[dimension], prod(sizes)).sum(axis=1).reshape(-1, *sizes)
            operands += [cube, [dimension, *(OUTPUTS + output for output in axis.axes)]]
        present = {label for labels in operands[1::2] for label in labels}
        for label in set(every) - present:
            operands += [np.ones(affine.space[label - OUTPUTS], dtype=np.int64), [label]]
        total += term.coefficient * np.einsum(*operands, every)
    for index in np.ndindex(*affine.space):
        for constant in affine.constants:
            if all(m.first <= joined(index, affine.space, m.axes) < m.end for m in constant.within):
                total[index] += constant.value
    return total


def joined(index: Sequence[int], space: Shape, axes: Sequence[int]) -> int:
    """The position along several axes taken as one."""
    result = 0
    for axis in axes:
        result = result * space[axis] + index[axis]
    return result


def map_matrix(axis: IndexMap, size: int, positions: int) -> npt.NDArray[np.int64]:
    """The factor with which each position, by each tap, has each index: [size, taps, positions]."""
    matrix = np.zeros((size, axis.taps, positions), dtype=np.int64)
    for h in range(axis.first, axis.end):
        for tap in range(axis.taps):
            start = axis.start if axis.listed is None else axis.listed[h]
            index = axis.stride * h + axis.dilation * tap + start
            if 0 <= index < size:
                matrix[index, tap, h] = axis.scale[h] if axis.scale else 1
    return matrix


def product_values(system: System, product: Product, space: Shape, values: Values) -> npt.NDArray[np.int64]:
    """A product's integers over the output axes."""
    sizes = (*space, *product.contracted)
    operands: list[Any] = []
    for factor in (product.left, product.right):
        operands += [affine_values(system, factor.value, values), list(factor.axes)]
    for number, taps in enumerate(product.taps):
        contracted = len(space) + taps.contracted
        outputs = [space[axis] for axis in taps.map.axes]
        meets = map_matrix(taps.map, sizes[contracted], prod(outputs))
        meets = meets.reshape(sizes[contracted], taps.map.taps, *outputs)
        operands += [meets, [contracted, len(sizes) + number, *taps.map.axes]]
    result: npt.NDArray[np.int64] = np.einsum(*operands, list(range(len(space))), optimize=True)
    return product.coefficient * result
