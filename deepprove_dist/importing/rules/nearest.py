"""Resize to the nearest position, and Upsample of that kind: a list of positions for each axis."""

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.resizing import RESIZE_ATTRIBUTES, Positions, resized_axes
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import select
from deepprove_dist.importing.rewriting.standard import ALL_TYPES

TIE = 1.2e-6
"""How far from the middle of two a position still counts as there: onnxruntime has 1e-6, in float32."""


def _resize(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if node.attributes.get("mode", b"nearest") != b"nearest":
        return None
    tensor = graph.tensor(node.input(0))
    fill = float(node.attributes.get("extrapolation_value", 0.0))
    rounding = node.attributes.get("nearest_mode", b"round_prefer_floor").decode()
    for axis in resized_axes(node, graph):
        nearest = _nearest(rounding, axis.positions).clip(0, axis.size - 1)
        indices = np.where(axis.outside, -1, nearest)
        tensor = select(graph, tensor, axis.axis, indices.tolist(), fill)
    return tensor


def _nearest(mode: str, positions: Positions) -> IntArray:
    # A half added to a position in float32 may round it to the next one.
    exact = positions.astype(np.float64)
    middles = np.floor(exact) + 0.5
    rounded = np.where(np.abs(exact - middles) < TIE, middles, exact)
    match mode:
        case "round_prefer_floor":
            nearest = np.ceil(rounded - 0.5)
        case "round_prefer_ceil":
            nearest = np.floor(rounded + 0.5)
        case "floor":
            nearest = np.floor(exact)
        case "ceil":
            nearest = np.ceil(exact)
        case _:
            raise UnsupportedNodeError(
                f"its nearest mode is '{mode}'",
                "the modes round_prefer_floor, round_prefer_ceil, floor, ceil",
            )
    indices: IntArray = nearest.astype(np.int64)
    return indices


RULES = (
    Rule(
        "Resize",
        "to nearest positions, with constant scales or sizes",
        _resize,
        RESIZE_ATTRIBUTES,
        types=ALL_TYPES,
        since=10,
    ),
)
