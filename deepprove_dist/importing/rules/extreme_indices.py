"""ArgMax, ArgMin and Hardmax: of equal values the first one counts, or the last one where a node says so."""

from collections.abc import Callable

import onnx

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.extreme_index import extreme_index, without_axis
from deepprove_dist.importing.rewriting.last_axis import along_axes
from deepprove_dist.importing.rewriting.one_hot import one_hot
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of
from deepprove_dist.importing.rules.softmax import normalised_axes


def _index(*, smallest: bool) -> Callable[[OnnxNode, GraphBuilder], str]:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        tensor = graph.tensor(node.input(0))
        axis = axis_of(node.attributes.get("axis", 0), len(graph.shape(tensor)))
        last = bool(node.attributes.get("select_last_index", 0))
        index = extreme_index(graph, tensor, axis, smallest=smallest, last=last)
        return index if node.attributes.get("keepdims", 1) else without_axis(graph, index, axis)

    return rewrite


def _hardmax(node: OnnxNode, graph: GraphBuilder) -> str:
    def rows(tensor: str, size: int) -> str:
        axis = len(graph.shape(tensor)) - 1
        index = extreme_index(graph, tensor, axis, smallest=False, last=False)
        return one_hot(graph, without_axis(graph, index, axis), size)

    return along_axes(graph, graph.tensor(node.input(0)), normalised_axes(node, graph), rows)


INDEX_TYPES = (onnx.TensorProto.INT64,)
ATTRIBUTES = frozenset({"axis", "keepdims", "select_last_index"})

RULES = (
    Rule("ArgMax", "of a computed tensor", _index(smallest=False), ATTRIBUTES, types=INDEX_TYPES),
    Rule("ArgMin", "of a computed tensor", _index(smallest=True), ATTRIBUTES, types=INDEX_TYPES),
    Rule("Hardmax", "of a float tensor", _hardmax, frozenset({"axis"})),
)
