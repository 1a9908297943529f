"""ReduceProd and CumProd: products of computed elements, by halves and by doubled distances.

Halves of the axis are multiplied until one element is left. So a product of n elements takes about log2(n)
multiplications, one after the other. Products up to each element take as many: y[i] times y[i - d], for the
distances d = 1, 2, 4, ...
"""

from math import prod

import numpy as np
import onnx

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope


def _reduced(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    tensor = new.input(0)
    shape = new.shape(tensor)
    stated = new.value(new.input(1)) if new.input(1) else np.array(new.attributes.get("axes", ()), np.int64)
    if stated is None or 0 in shape:
        return None
    axes = {int(axis) % len(shape) for axis in stated.reshape(-1)}
    if not axes and new.attributes.get("noop_with_empty_axes", 0):
        return new.finished(tensor)
    axes = axes or set(range(len(shape)))
    others = [axis for axis in range(len(shape)) if axis not in axes]
    count = prod(shape[axis] for axis in axes)
    moved = new.add("Transpose", tensor, perm=[*others, *sorted(axes)]) if len(shape) > 1 else tensor
    rows = new.add("Reshape", moved, new.integers([prod(shape[axis] for axis in others), count]))
    while count > 1:
        half = count // 2
        product = new.add("Mul", _part(new, rows, 0, half, 1), _part(new, rows, half, 2 * half, 1))
        if count % 2:
            product = new.add("Concat", product, _part(new, rows, 2 * half, count, 1), axis=1)
        rows, count = product, count - half
    return new.finished(new.add("Reshape", rows, new.integers(_result_shape(new, shape, axes))))


def _result_shape(new: NodeReplacement, shape: Shape, axes: set[int]) -> list[int]:
    if new.attributes.get("keepdims", 1):
        return [1 if axis in axes else size for axis, size in enumerate(shape)]
    return [size for axis, size in enumerate(shape) if axis not in axes]


def _cumulative(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    tensor, stated = new.input(0), new.value(new.input(1))
    shape = new.shape(tensor)
    if stated is None or not shape or 0 in shape:
        return None
    axis = int(stated.item()) % len(shape)
    size, backwards = shape[axis], bool(new.attributes.get("reverse", 0))
    if backwards:
        tensor = _part(new, tensor, -1, -size - 1, axis, -1)
    if new.attributes.get("exclusive", 0):
        if size == 1:
            return None
        tensor = _shifted(new, tensor, 1, shape, axis)
    distance = 1
    while distance < size:
        tensor = new.add("Mul", tensor, _shifted(new, tensor, distance, shape, axis))
        distance *= 2
    if backwards:
        tensor = _part(new, tensor, -1, -size - 1, axis, -1)
    return new.finished(tensor)


def _shifted(new: NodeReplacement, tensor: str, distance: int, shape: Shape, axis: int) -> str:
    """The tensor moved along an axis, with ones before it."""
    ones = np.ones([distance if index == axis else size for index, size in enumerate(shape)])
    constant = new.constant(ones, new.input(0))
    return new.add("Concat", constant, _part(new, tensor, 0, shape[axis] - distance, axis), axis=axis)


def _part(new: NodeReplacement, tensor: str, start: int, end: int, axis: int, step: int = 1) -> str:
    return new.add("Slice", tensor, *(new.integers([value]) for value in (start, end, axis, step)))


EXPANSIONS = (
    Expansion("CumProd", "along a constant axis", _cumulative),
    Expansion("ReduceProd", "over constant axes", _reduced),
)
