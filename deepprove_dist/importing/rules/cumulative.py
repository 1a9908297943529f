"""CumSum: sums up to each index of an axis, by a triangular matrix along it."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.last_axis import counted_axis
from deepprove_dist.importing.rewriting.linear_map import along_axis
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import SUMMED_TYPES


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    axis = counted_axis(int(graph.required(node.input(1), "the axis").item()), len(shape))
    size = shape[axis]
    matrix = np.tri(size, size, -1 if node.attributes.get("exclusive", 0) else 0)
    if node.attributes.get("reverse", 0):
        matrix = matrix[::-1, ::-1]
    return along_axis(graph, tensor, axis, matrix)


RULES = (
    Rule(
        "CumSum",
        "along a constant axis",
        _rewrite,
        frozenset({"exclusive", "reverse"}),
        SUMMED_TYPES,
        since=11,
    ),
)
