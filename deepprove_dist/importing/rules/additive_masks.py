"""Masked scores: the softmax that reads them masks them. Nothing else may, so here they stay as they are.

Where(IsNaN(p), 0, p) is p: what is proven is finite.
"""

from deepprove_dist.importing.rewriting.broadcasting import broadcast_shape, broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES, SUMMED_TYPES
from deepprove_dist.importing.rules.masks import read_mask
from deepprove_dist.importing.rules.matching import origin, same


def _unmasked(node: OnnxNode, graph: GraphBuilder) -> str | None:
    masked = read_mask(graph, node)
    if masked is None:
        return None
    shape = broadcast_shape([graph.shape(masked.scores), masked.mask.shape])
    return broadcast_to(graph, graph.tensor(masked.scores), shape)


def _guarded(node: OnnxNode, graph: GraphBuilder) -> str | None:
    """A branch for what is not a number, which no value is."""
    test = origin(graph, node.input(0), "IsNaN")
    if test is None or graph.is_constant(node.input(2)) or not same(graph, test.input(0), node.input(2)):
        return None
    shape = broadcast_shape(map(graph.shape, node.inputs))
    return broadcast_to(graph, graph.tensor(node.input(2)), shape)


def _where(node: OnnxNode, graph: GraphBuilder) -> str | None:
    return _unmasked(node, graph) or _guarded(node, graph)


_WHAT = "of scores and a constant mask, before Softmax"
RULES = (
    Rule("Add", _WHAT, _unmasked, types=SUMMED_TYPES),
    Rule("Sub", _WHAT, _unmasked, types=SUMMED_TYPES),
    Rule("Where", _WHAT, _where, types=ALL_TYPES, since=9),
)
