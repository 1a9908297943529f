"""Pad and CenterCropPad: elements cut off, or put before and after a tensor along any axes."""

import numpy as np

from deepprove_dist.importing.rewriting.arranging import per_axis
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.pad import FloatPad

MODES = ("constant", "reflect", "edge", "wrap")


def _pad(node: OnnxNode, graph: GraphBuilder) -> str:
    mode = node.attributes.get("mode", b"constant").decode()
    if mode not in MODES:
        raise UnsupportedNodeError(f"its mode is '{mode}'", f"the modes {', '.join(MODES)}")
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    value = graph.numbers(node.input(2), "the value") if node.input(2) else np.zeros(1)
    if value.size != 1:
        raise UnsupportedNodeError(f"it pads with {value.size} values")
    amounts = [int(amount) for amount in graph.required(node.input(1), "the padding")]
    axes = list(range(len(shape)))
    if node.input(3):
        axes = [axis_of(int(axis), len(shape)) for axis in graph.required(node.input(3), "the axes")]
    widths = [(0, 0)] * len(shape)
    for index, axis in enumerate(axes):
        widths[axis] = amounts[index], amounts[len(axes) + index]
    if mode == "constant" and not value.any() and min(map(min, widths), default=0) >= 0:
        before, after = zip(*widths, strict=True)
        return graph.add(FloatPad, tensor, (*before, *after))
    lists = [_padded(size, *width, mode) for size, width in zip(shape, widths, strict=True)]
    return per_axis(graph, tensor, lists, float(value.item()) if mode == "constant" else 0.0)


def _padded(size: int, before: int, after: int, mode: str) -> list[int]:
    """The indices of an axis with padding; negative padding cuts first."""
    kept = np.arange(size)[max(-before, 0) : size - max(-after, 0)]
    widths = max(before, 0), max(after, 0)
    if not kept.size or (mode == "reflect" and max(widths) >= max(len(kept), 2)):
        raise UnsupportedNodeError(f"its padding {before, after} does not fit an axis of size {size}")
    match mode:
        case "constant":
            padded = np.pad(kept, widths, constant_values=-1)
        case "reflect":
            padded = np.pad(kept, widths, "reflect")
        case "edge":
            padded = np.pad(kept, widths, "edge")
        case _:
            padded = np.pad(kept, widths, "wrap")
    indices: list[int] = padded.tolist()
    return indices


def _center_crop_pad(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    axes = [axis_of(axis, len(shape)) for axis in node.attributes.get("axes", range(len(shape)))]
    lists = [list(range(size)) for size in shape]
    for axis, target in zip(axes, graph.required(node.input(1), "the shape"), strict=True):
        size, wanted = shape[axis], int(target)
        first = (size - wanted) // 2 if wanted < size else -((wanted - size) // 2)
        lists[axis] = [h if 0 <= h < size else -1 for h in range(first, first + wanted)]
    return per_axis(graph, tensor, lists)


RULES = (
    Rule("Pad", "by constant amounts, with a constant value", _pad, frozenset({"mode"}), types=ALL_TYPES),
    Rule(
        "CenterCropPad",
        "to a constant shape",
        _center_crop_pad,
        frozenset({"axes"}),
        since=18,
        types=ALL_TYPES,
    ),
)
