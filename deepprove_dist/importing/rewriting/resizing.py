"""Resize as ONNX states it: where each position of the output lies between those of the input.

Positions are computed in onnxruntime's order of operations, and in its precision, mostly float32. Where one
lies in the middle of two, the nearest one depends on rounding.

At two points onnxruntime and ONNX's reference evaluator do not agree. The first is followed, as exporters are
tested with it, and set-up warns. A tensor that keeps its shape stays as it is. And corners that align lie at
the last position there is, where a scale gives no whole number of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import Cause
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.selecting import axis_of

Positions = npt.NDArray[np.float32]

COORDINATES = (
    "align_corners",
    "asymmetric",
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "tf_crop_and_resize",
    "tf_half_pixel_for_nn",
)
WHOLE = 1e-3
"""How far from a whole number of positions scales in float32 may lead."""
RESIZE_ATTRIBUTES = frozenset(
    {
        "antialias",
        "axes",
        "coordinate_transformation_mode",
        "cubic_coeff_a",
        "exclude_outside",
        "extrapolation_value",
        "keep_aspect_ratio_policy",
        "mode",
        "nearest_mode",
    }
)


@dataclass(frozen=True)
class ResizedAxis:
    """An axis of ``size`` positions that gets others: where these lie, from 0 to ``size`` - 1 and beyond.

    ``scale`` is that of the node. ``outside``: those that have a value of their own, without any input.
    """

    axis: int
    size: int
    scale: float
    positions: Positions
    outside: npt.NDArray[np.bool_]


def resized_axes(node: OnnxNode, graph: GraphBuilder) -> Iterator[ResizedAxis]:
    """The axes that a Resize gives other positions, with constant scales or sizes."""
    shape, target = graph.shape(node.input(0)), graph.shape(node.output)
    axes = [axis_of(axis, len(shape)) for axis in node.attributes.get("axes", range(len(shape)))]
    scales = _scales(node, graph, axes, shape)
    mode = node.attributes.get("coordinate_transformation_mode", b"half_pixel").decode()
    if mode not in COORDINATES:
        raise UnsupportedNodeError(f"its coordinate mode is '{mode}'", f"the modes {', '.join(COORDINATES)}")
    windows = [(0.0, 1.0)] * len(axes)
    if mode == "tf_crop_and_resize":
        roi = graph.numbers(node.input(1), "its window")
        windows = [(float(roi[k]), float(roi[k + len(axes)])) for k in range(len(axes))]
    for axis, scale, window in zip(axes, scales, windows, strict=True):
        size, count = shape[axis], target[axis]
        if mode == "align_corners" and node.input(2) and abs(size * scale - count) > WHOLE:
            reason = (
                f"its scale {scale:g} gives axis {axis} no whole number of positions, and its corners align"
            )
            _warn(graph, reason, "state sizes in place of scales")
        if scale == 1 and window != (0.0, 1.0):
            # onnxruntime takes the whole axis then.
            raise UnsupportedNodeError(
                f"its window of axis {axis} is {window}, and its scale there 1",
                "windows along axes with another scale",
                "cut the window out by a Slice",
            )
        positions = _positions(mode, size, count, scale, window)
        outside = np.zeros(count, dtype=bool)
        if mode == "tf_crop_and_resize":
            outside = (positions < 0) | (positions > size - 1)
        if scale == 1 or np.array_equal(positions, np.arange(size)):
            continue
        if shape == target:
            _warn(graph, f"it keeps its shape with a scale of {scale:g}", "take the node out")
        else:
            yield ResizedAxis(axis, size, scale, positions, outside)


def _warn(graph: GraphBuilder, reason: str, remedy: str) -> None:
    graph.warn(
        Cause.CONVENTION,
        f"{reason}: it is proven as onnxruntime computes it, and ONNX's reference evaluator does otherwise",
        f"To have a model that means the same everywhere, {remedy}.",
    )


def _scales(node: OnnxNode, graph: GraphBuilder, axes: list[int], shape: Shape) -> list[float]:
    if node.input(2) and (stated := graph.required(node.input(2), "its scales")).size:
        return [float(scale) for scale in stated]
    sizes = graph.required(node.input(3), "its sizes")
    scales = [int(size) / shape[axis] for size, axis in zip(sizes, axes, strict=True)]
    policy = node.attributes.get("keep_aspect_ratio_policy", b"stretch").decode()
    if policy == "stretch":
        return scales
    return [min(scales) if policy == "not_larger" else max(scales)] * len(scales)


def _positions(mode: str, size: int, count: int, scale: float, window: tuple[float, float]) -> Positions:
    """Where each of so many positions lies on an axis of this size."""
    x, half, one = np.arange(count, dtype=np.float32), np.float32(0.5), np.float32(1)
    length, factor = np.float32(scale) * np.float32(size), np.float32(scale)
    last, first = np.float32(size - 1), np.float32(window[0])
    match mode:
        case "align_corners":
            return x * 0 if count == 1 else x * last / np.float32(count - 1)
        case "asymmetric":
            return x / factor
        case "tf_half_pixel_for_nn":
            return (x + half) / factor
        case "pytorch_half_pixel" if count == 1:
            return x * 0
        case "half_pixel_symmetric":
            middle = np.float32(size / 2) * (one - np.float32(count) / length)
            exact = np.float64(middle) + (x.astype(np.float64) + 0.5) / np.float64(factor) - 0.5
            return exact.astype(np.float32)
        case "tf_crop_and_resize":
            extent = (np.float32(window[1]) - first) * last
            if count == 1:
                return x + half * (first + np.float32(window[1])) * last
            return first * last + x * extent / (np.float32(count) - one)
        case _:
            return (x + half) / factor - half
