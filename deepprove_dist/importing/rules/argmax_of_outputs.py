"""ArgMax that only a statement has, along the last of several axes: a lookup for each score."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of
from deepprove_dist.importing.rules.extreme_indices import ATTRIBUTES, INDEX_TYPES
from deepprove_dist.operators.arg_max import FloatArgMax

FEWEST = 32
"""Scores of a row. For fewer ones a tournament costs as little."""


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    last = axis_of(node.attributes.get("axis", 0), len(shape)) == len(shape) - 1
    plain = not node.attributes.get("keepdims", 1) and not node.attributes.get("select_last_index", 0)
    if not (last and plain and shape[-1] >= FEWEST and graph.is_only_stated(node.output)):
        return None
    return graph.add(FloatArgMax, tensor, shape[-1])


RULES = (Rule("ArgMax", "as a public output", _rewrite, ATTRIBUTES, types=INDEX_TYPES),)
