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

CLEAR = 1e-4
"""How far from a whole number a position is none."""


def _resize(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if node.attributes.get("mode", b"nearest") != b"nearest":
        return None
    tensor = graph.tensor(node.input(0))
    fill = float(node.attributes.get("extrapolation_value", 0.0))
    rounding = node.attributes.get("nearest_mode", b"round_prefer_floor").decode()
    coordinates = node.attributes.get("coordinate_transformation_mode", b"half_pixel").decode()
    if coordinates == "tf_half_pixel_for_nn" and rounding.endswith("ceil"):
        # onnxruntime does not compute what the standard says of it.
        raise UnsupportedNodeError(
            f"its coordinate mode is '{coordinates}', and its nearest mode '{rounding}'",
            "this coordinate mode with the nearest modes floor and round_prefer_floor",
        )
    for axis in resized_axes(node, graph):
        if coordinates == "half_pixel_symmetric":
            _require_clear(rounding, axis.positions)
        nearest = _nearest(rounding, axis.positions).clip(0, axis.size - 1)
        indices = np.where(axis.outside, -1, nearest)
        tensor = select(graph, tensor, axis.axis, indices.tolist(), fill)
    return tensor


def _require_clear(mode: str, positions: Positions) -> None:
    """Refuses positions of which rounding errors say where they belong: these are onnxruntime's own."""
    if mode in ("floor", "ceil") and (np.abs(positions - np.rint(positions)) < CLEAR).any():
        raise UnsupportedNodeError(
            f"its coordinate mode is 'half_pixel_symmetric', its nearest mode '{mode}', and a position is a "
            "whole number up to rounding",
            "this coordinate mode with the nearest modes round_prefer_floor and round_prefer_ceil",
        )


def _nearest(mode: str, positions: Positions) -> IntArray:
    half = np.float32(0.5)
    match mode:
        case "round_prefer_floor":
            nearest = np.ceil(positions - half)
        case "round_prefer_ceil":
            nearest = np.floor(positions + half)
        case "floor":
            nearest = np.floor(positions)
        case "ceil":
            nearest = np.ceil(positions)
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
