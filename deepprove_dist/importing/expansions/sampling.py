"""Operators that are linear in their first input, all others being constants: products by a matrix.

GridSample has one for each image, with a row for each of its positions. RoiAlign has one for each region.
"""

from math import prod

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.linear_maps import image, mapped, unit_vectors
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope


def _grid_sample(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The channels of the images that are computed in advance are the unit vectors."""
    new = NodeReplacement(node, scope)
    images, channels, *spatial = new.shape(new.input(0))
    grid = new.value(new.input(1))
    if grid is None:
        return None
    units = unit_vectors(tuple(spatial))
    whole = np.broadcast_to(units, (images, *units.shape)).copy()
    values = image(scope, "GridSample", (whole, grid.astype(np.float32)), new.attributes)
    if values is None:
        return None
    matrix = values.reshape(images, len(units), -1)
    before, after = (images, channels, len(units)), (images, channels, *values.shape[2:])
    return new.finished(mapped(new, new.input(0), before, matrix, after, new.input(0)))


def _columns_to_image(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    images, joined, blocks = new.shape(new.input(0))
    shape, block = (new.value(new.input(k)) for k in (1, 2))
    if shape is None or block is None:
        return None
    size = int(np.prod(block))
    units = unit_vectors((size, blocks))
    values = image(scope, "Col2Im", (units, shape, block), new.attributes)
    if values is None:
        return None
    before, after = (images, joined // size, len(units)), (images, joined // size, *values.shape[2:])
    return new.finished(
        mapped(new, new.input(0), before, values.reshape(len(units), -1), after, new.input(0))
    )


def _affine_grid(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    images, *matrix_shape = new.shape(new.input(0))
    size = new.value(new.input(1))
    if size is None:
        return None
    units = unit_vectors(tuple(matrix_shape))
    values = image(scope, "AffineGrid", (units, np.array([len(units), *size[1:]])), new.attributes)
    if values is None:
        return None
    after = (images, *values.shape[1:])
    return new.finished(
        mapped(new, new.input(0), (images, len(units)), values.reshape(len(units), -1), after, new.input(0))
    )


def _regions(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    images, channels, *spatial = new.shape(new.input(0))
    regions, chosen = (new.value(new.input(k)) for k in (1, 2))
    if regions is None or chosen is None or new.attributes.get("mode", b"avg") != b"avg":
        return None
    units = unit_vectors(tuple(spatial))
    whole = np.broadcast_to(units, (images, *units.shape)).copy()
    values = image(scope, "RoiAlign", (whole, regions.astype(np.float32), chosen), new.attributes)
    if values is None:
        return None
    rows = new.add("Gather", new.input(0), new.integers(chosen), axis=0)
    before, after = (len(chosen), channels, len(units)), (len(chosen), channels, *values.shape[2:])
    matrix = values.reshape(len(chosen), len(units), -1)
    return new.finished(mapped(new, rows, before, matrix, after, new.input(0)))


def _fourier(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Along one axis, and of the real and imaginary parts together."""
    new = NodeReplacement(node, scope)
    shape = new.shape(new.input(0))
    length, stated = new.value(new.input(1)), new.value(new.input(2))
    if (new.input(1) and length is None) or (new.input(2) and stated is None):
        return None
    attributes = dict(new.attributes)
    default = 1 if scope.opset < AXIS_IS_AN_INPUT else -2
    axis = int(attributes.pop("axis", default) if stated is None else stated.item()) % len(shape)
    others = [index for index in range(len(shape) - 1) if index != axis]
    units = unit_vectors((shape[axis], shape[-1]))
    if scope.opset < AXIS_IS_AN_INPUT:
        values = image(scope, "DFT", (units, length), {**attributes, "axis": 1})
    else:
        values = image(scope, "DFT", (units, length, np.array(1)), attributes)
    if values is None:
        return None
    order = [*others, axis, len(shape) - 1]
    moved = new.add("Transpose", new.input(0), perm=order)
    rows = tuple(shape[index] for index in others)
    result = mapped(
        new,
        moved,
        (prod(rows), len(units)),
        values.reshape(len(units), -1),
        (*rows, *values.shape[1:]),
        new.input(0),
    )
    return new.finished(new.add("Transpose", result, perm=np.argsort(order).tolist()))


def _short_fourier(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    signals, *signal = new.shape(new.input(0))
    further = [new.value(name) if name else None for name in map(new.input, range(1, 4))]
    if any(new.input(k + 1) and value is None for k, value in enumerate(further)):
        return None
    units = unit_vectors(tuple(signal))
    values = image(scope, "STFT", (units, *further), new.attributes)
    if values is None:
        return None
    after = (signals, *values.shape[1:])
    return new.finished(
        mapped(new, new.input(0), (signals, len(units)), values.reshape(len(units), -1), after, new.input(0))
    )


AXIS_IS_AN_INPUT = 20

EXPANSIONS = (
    Expansion("AffineGrid", "to a constant size", _affine_grid),
    Expansion("Col2Im", "with constant shapes", _columns_to_image),
    Expansion("DFT", "along a constant axis", _fourier),
    Expansion("GridSample", "at a constant grid", _grid_sample),
    Expansion("RoiAlign", "of constant regions, by averages", _regions),
    Expansion("STFT", "with a constant window and steps", _short_fourier),
)
