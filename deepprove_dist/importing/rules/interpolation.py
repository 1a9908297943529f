"""Resize by linear and cubic interpolation: a matrix along each axis, its rows weights.

A position x gives index i the weight w(s * (i - x)), divided by the sum of all its weights. Here w is a
triangle or a cubic spline, and s is 1. Antialiasing makes s the scale, where that is smaller. Indices
outside are those at the edge, or are left out.
"""

from math import floor

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.linear_map import along_axis
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.resizing import RESIZE_ATTRIBUTES, ResizedAxis, resized_axes
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES, FLOAT_TYPES

LINEAR, CUBIC = b"linear", b"cubic"
REACH = {LINEAR: 1, CUBIC: 2}
"""How far from its index a weight is not zero."""


def _resize(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if node.attributes.get("mode", b"nearest") not in REACH:
        return None
    if graph.type(node.output) not in FLOAT_TYPES:
        raise UnsupportedNodeError(
            "it interpolates values that are no floats", "interpolation of float tensors"
        )
    tensor = graph.tensor(node.input(0))
    fill = float(node.attributes.get("extrapolation_value", 0.0))
    for axis in resized_axes(node, graph):
        if node.attributes.get("antialias", 0) and len(axis.positions) == axis.size:
            # onnxruntime leaves such an axis as it is.
            raise UnsupportedNodeError(
                f"it is antialiased, and keeps the size of axis {axis.axis} with a scale of {axis.scale:g}",
                "antialiasing of axes that get another size",
            )
        tensor = along_axis(graph, tensor, axis.axis, _matrix(node, axis))
        if axis.outside.any():
            rank = len(graph.shape(tensor))
            filled = np.where(axis.outside, fill, 0.0).reshape(-1, *(1 for _ in range(axis.axis + 1, rank)))
            tensor = scale_and_shift(graph, tensor, np.array(1.0), filled)
    return tensor


def _matrix(node: OnnxNode, axis: ResizedAxis) -> FloatArray:
    """The weights [positions, indices] along an axis."""
    mode = node.attributes["mode"]
    scale = min(axis.scale, 1.0) if node.attributes.get("antialias", 0) else 1.0
    first = floor(-REACH[mode] / scale) + 1
    matrix = np.zeros((len(axis.positions), axis.size))
    for row, position in zip(matrix, axis.positions.astype(np.float64), strict=True):
        before = int(np.ceil(position)) - 1
        indices = before + np.arange(first, 2 - first)
        distances = np.abs(scale * (indices - position))
        weights = np.maximum(1 - distances, 0) if mode == LINEAR else _cubic(node, distances)
        if node.attributes.get("exclude_outside", 0):
            weights = np.where((indices >= 0) & (indices < axis.size), weights, 0.0)
        np.add.at(row, indices.clip(0, axis.size - 1), weights / weights.sum())
    matrix[axis.outside] = 0.0
    return matrix


def _cubic(node: OnnxNode, distances: FloatArray) -> FloatArray:
    """The spline at each distance."""
    a = node.attributes.get("cubic_coeff_a", -0.75)
    near = ((a + 2) * distances - (a + 3)) * distances**2 + 1
    far = a * (((distances - 5) * distances + 8) * distances - 4)
    values: FloatArray = np.where(distances <= 1, near, np.where(distances < REACH[CUBIC], far, 0.0))
    return values


RULES = (
    Rule(
        "Resize",
        "by linear or cubic interpolation",
        _resize,
        RESIZE_ATTRIBUTES,
        types=ALL_TYPES,
        since=10,
    ),
)
