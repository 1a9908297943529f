"""Min of computed tensors: min(x, y) = -max(-x, -y)."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.extrema import smallest
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.importing.rules.of_tensors import broadcast_operands


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
    tensors = broadcast_operands(node, graph)
    return None if tensors is None else smallest(graph, tensors)


RULES = (Rule("Min", "of computed tensors", _rewrite, types=NUMBER_TYPES),)
