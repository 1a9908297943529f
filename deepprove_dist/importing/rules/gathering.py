"""Gather and its like: elements of a computed tensor at constant indices."""

from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.importing.rewriting.arranging import arrange, numbered
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of, from_zero, reshaped, select
from deepprove_dist.importing.rewriting.standard import ALL_TYPES


def _along_axis(
    node: OnnxNode, graph: GraphBuilder, indices: npt.NDArray[Any]
) -> tuple[str, Shape, int, IntArray]:
    """The tensor that is indexed, its shape, the axis, and the indices along it, counted from 0."""
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    axis = axis_of(node.attributes.get("axis", 0), len(shape))
    return tensor, shape, axis, from_zero(indices, shape[axis])


def _gather(node: OnnxNode, graph: GraphBuilder) -> str | None:
    indices = graph.constant(node.input(1))
    if indices is None:
        return None
    tensor, shape, axis, listed = _along_axis(node, graph, indices)
    taken = select(graph, tensor, axis, listed.reshape(-1).tolist())
    return reshaped(graph, taken, (*shape[:axis], *listed.shape, *shape[axis + 1 :]))


def _gather_elements(node: OnnxNode, graph: GraphBuilder) -> str | None:
    indices = graph.constant(node.input(1))
    if indices is None:
        return None
    tensor, shape, axis, listed = _along_axis(node, graph, indices)
    within = tuple(slice(size) for size in listed.shape)
    first = numbered(shape)[(*within[:axis], slice(0, 1), *within[axis + 1 :])]
    return arrange(graph, tensor, first + listed * int(np.prod(shape[axis + 1 :])))


def _gather_nd(node: OnnxNode, graph: GraphBuilder) -> str | None:
    indices = graph.constant(node.input(1))
    if indices is None:
        return None
    tensor = graph.tensor(node.input(0))
    shape, batch = graph.shape(tensor), node.attributes.get("batch_dims", 0)
    indexed = shape[batch : batch + indices.shape[-1]]
    rows = numbered(shape[: batch + len(indexed)]).reshape(*shape[:batch], -1)
    counted = [from_zero(indices[..., k], size) for k, size in enumerate(indexed)]
    flat = np.ravel_multi_index(counted, indexed).reshape(*shape[:batch], -1)
    listed = np.take_along_axis(rows, flat, axis=-1).reshape(-1)
    row = shape[batch + len(indexed) :]
    joined = reshaped(graph, tensor, (rows.size, *row))
    taken = select(graph, joined, 0, listed.tolist())
    return reshaped(graph, taken, (*indices.shape[:-1], *row))


def _compress(node: OnnxNode, graph: GraphBuilder) -> str:
    condition = graph.required(node.input(1), "the condition").astype(bool)
    tensor = graph.tensor(node.input(0))
    axis = node.attributes.get("axis")
    if axis is None:
        tensor, axis = reshaped(graph, tensor, (int(np.prod(graph.shape(tensor))),)), 0
    axis = axis_of(axis, len(graph.shape(tensor)))
    return select(graph, tensor, axis, np.flatnonzero(condition).tolist())


def _reverse_sequence(node: OnnxNode, graph: GraphBuilder) -> str:
    lengths = graph.required(node.input(1), "the lengths")
    tensor = graph.tensor(node.input(0))
    places = numbered(graph.shape(tensor))
    time, batch = node.attributes.get("time_axis", 0), node.attributes.get("batch_axis", 1)
    rows = np.moveaxis(places, (batch, time), (0, 1))
    if lengths.max(initial=0) > rows.shape[1]:
        raise UnsupportedNodeError(f"its length {lengths.max()} is beyond an axis of size {rows.shape[1]}")
    turned = np.stack(
        [np.concatenate([row[:n][::-1], row[n:]]) for row, n in zip(rows, lengths, strict=True)]
    )
    return arrange(graph, tensor, np.moveaxis(turned, (0, 1), (batch, time)))


RULES = (
    Rule(
        "Gather", "of a computed tensor, at constant indices", _gather, frozenset({"axis"}), types=ALL_TYPES
    ),
    Rule(
        "GatherElements",
        "of a computed tensor, at constant indices",
        _gather_elements,
        frozenset({"axis"}),
        since=11,
        types=ALL_TYPES,
    ),
    Rule(
        "GatherND",
        "of a computed tensor, at constant indices",
        _gather_nd,
        frozenset({"batch_dims"}),
        since=11,
        types=ALL_TYPES,
    ),
    Rule("Compress", "by a constant condition", _compress, frozenset({"axis"}), since=9, types=ALL_TYPES),
    Rule(
        "ReverseSequence",
        "of constant lengths",
        _reverse_sequence,
        frozenset({"batch_axis", "time_axis"}),
        since=10,
        types=ALL_TYPES,
    ),
)
