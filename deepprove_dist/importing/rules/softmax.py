"""Softmax over any axis. Before opset 13 it is over all axes from a first one on."""

from collections.abc import Sequence

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.broadcasting import broadcast_to, compact
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.last_axis import along_axes, counted_axis
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.masked_rows import always_left_out, left_out_bits
from deepprove_dist.importing.rules.masks import MaskedScores, scores_before
from deepprove_dist.operators.mask import FloatMaskedSoftmax
from deepprove_dist.operators.padded_softmax import FloatPaddedSoftmax
from deepprove_dist.operators.softmax import FloatSoftmax

ONE_AXIS = 13
"""The opset since which it is over one axis."""


def normalised_axes(node: OnnxNode, graph: GraphBuilder) -> tuple[int, ...]:
    """The axes over which its results sum to 1."""
    rank, since = len(graph.shape(node.input(0))), graph.opset >= ONE_AXIS
    axis = counted_axis(node.attributes.get("axis", -1 if since else 1), rank)
    return (axis,) if since else tuple(range(axis, rank))


def _softmax(node: OnnxNode, graph: GraphBuilder) -> str:
    axes = normalised_axes(node, graph)
    masked = scores_before(graph, node.input(0))
    if masked is None:

        def plain(tensor: str, size: int) -> str:
            return graph.add(FloatSoftmax, tensor, size)

        return along_axes(graph, graph.tensor(node.input(0)), axes, plain)
    shape = graph.shape(node.input(0))
    tensor = broadcast_to(graph, graph.tensor(masked.scores), shape)
    if masked.added.any():
        tensor = weighted_sum(graph, [tensor], [1.0], masked.added)
    if masked.computed:
        return _padded(graph, tensor, masked, axes)
    mask = _rows(masked.mask, shape, axes)

    def leaving_out(tensor: str, size: int) -> str:
        return graph.add(FloatMaskedSoftmax, tensor, size, mask=mask)

    return along_axes(graph, tensor, axes, leaving_out)


def _padded(graph: GraphBuilder, tensor: str, masked: MaskedScores, axes: Sequence[int]) -> str:
    shape = graph.shape(tensor)
    if tuple(axes) != (len(shape) - 1,):
        raise UnsupportedNodeError("its mask is computed, and not along the last axis")
    _rows(always_left_out(masked), shape, axes)
    bits, counted = left_out_bits(graph, masked)
    bits = broadcast_to(graph, bits, shape)
    lowered = all(part.lowered for part in masked.computed)
    return graph.add(FloatPaddedSoftmax, (tensor, bits), shape[-1], counted=counted, lowered=lowered)


def _rows(mask: FloatArray, shape: Shape, axes: Sequence[int]) -> FloatArray:
    """A mask of scores whose last axis is these axes."""
    masked = np.broadcast_to(mask, shape)
    others = [axis for axis in range(len(shape)) if axis not in axes]
    rows = masked.transpose(*others, *axes).reshape(*(shape[axis] for axis in others), -1)
    if (rows.min(axis=-1) == 1).any():
        raise UnsupportedNodeError(
            "its mask leaves out all positions of a row",
            "masks that leave some position of each row",
            "leave out the rows of padding, or let each attend to itself",
        )
    return compact(rows)


RULES = (
    Rule("Softmax", "over any axis, with masks that are constant or of bits", _softmax, frozenset({"axis"})),
)
