"""Gather and its like: elements of a computed tensor at constant indices."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of, from_zero, reshaped, select


def _gather(node: OnnxNode, graph: GraphBuilder) -> str | None:
    indices = graph.constant(node.input(1))
    if indices is None:
        return None
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    axis = axis_of(node.attributes.get("axis", 0), len(shape))
    listed = from_zero(np.asarray(indices), shape[axis])
    taken = select(graph, tensor, axis, listed.reshape(-1).tolist())
    return reshaped(graph, taken, (*shape[:axis], *listed.shape, *shape[axis + 1 :]))


RULES = (Rule("Gather", "of a computed tensor, at constant indices", _gather, frozenset({"axis"})),)
