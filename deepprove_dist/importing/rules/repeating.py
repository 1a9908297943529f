"""Expand and Tile: a tensor repeated along axes."""

import numpy as np

from deepprove_dist.importing.rewriting.broadcasting import broadcast_shape, broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import select
from deepprove_dist.importing.rewriting.standard import ALL_TYPES


def _expand(node: OnnxNode, graph: GraphBuilder) -> str:
    target = tuple(int(size) for size in graph.required(node.input(1), "the shape"))
    tensor = graph.tensor(node.input(0))
    return broadcast_to(graph, tensor, broadcast_shape([graph.shape(tensor), target]))


def _tile(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor = graph.tensor(node.input(0))
    for axis, times in enumerate(graph.required(node.input(1), "the numbers of repeats")):
        indices = np.tile(np.arange(graph.shape(tensor)[axis]), int(times))
        tensor = select(graph, tensor, axis, indices.tolist())
    return tensor


RULES = (
    Rule("Expand", "to a constant shape", _expand, since=8, types=ALL_TYPES),
    Rule("Tile", "by constant numbers of repeats", _tile, types=ALL_TYPES),
)
