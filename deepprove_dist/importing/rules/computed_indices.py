"""Gather and OneHot with computed indices: products with one-hot vectors, which select exactly.

Negative indices count from the end. One that is outside the axis selects zeros, where onnxruntime fails.
"""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.one_hot import distances, is_index, selected, selected_rows
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of
from deepprove_dist.importing.rewriting.standard import ALL_TYPES, FLOAT_TYPES
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.operators.transpose import FloatTranspose

MAX_POSITIONS = 1 << 18
"""Of the axis that one-hot vectors are over: each index takes as many committed values."""


def _gather(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if graph.is_constant(node.input(1)):
        return None
    indices = graph.tensor(node.input(1))
    shape = graph.shape(node.input(0))
    axis = axis_of(node.attributes.get("axis", 0), len(shape))
    _require_small(shape[axis])
    graph.reads_as_index(indices, shape[axis])
    if not graph.is_constant(node.input(0)):
        return selected(graph, indices, graph.tensor(node.input(0)), axis)
    rows = graph.weights(node.input(0), "the gathered tensor")
    others = [k for k in range(len(shape)) if k != axis]
    taken = selected_rows(graph, indices, rows.transpose(axis, *others))
    rank = len(graph.shape(indices))
    before, after = range(rank, rank + axis), range(rank + axis, rank + len(others))
    return taken if axis == 0 else graph.add(FloatTranspose, taken, (*before, *range(rank), *after))


def _one_hot(node: OnnxNode, graph: GraphBuilder) -> str:
    indices = graph.tensor(node.input(0))
    depth = int(graph.required(node.input(1), "the depth").item())
    off, on = graph.numbers(node.input(2), "the list of values").tolist()
    axis = axis_of(node.attributes.get("axis", -1), len(graph.shape(indices)) + 1)
    _require_small(depth)
    if graph.type(node.input(0)) in FLOAT_TYPES:
        indices = apply(graph, indices, call(np.trunc, IDENTITY))
    function = is_index(depth) * (on - off) + off
    return apply(graph, distances(graph, indices, depth, axis), function)


def _require_small(size: int) -> None:
    if size > MAX_POSITIONS:
        raise UnsupportedNodeError(
            f"its computed indices are of an axis of size {size}", f"axes of at most {MAX_POSITIONS}"
        )


RULES = (
    Rule(
        "Gather",
        "at computed indices, of which those outside the axis select zeros",
        _gather,
        frozenset({"axis"}),
        types=ALL_TYPES,
    ),
    Rule("OneHot", "with constant depth and values", _one_hot, frozenset({"axis"}), types=ALL_TYPES, since=9),
)
