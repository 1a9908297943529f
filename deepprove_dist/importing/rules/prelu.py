"""PRelu: y = x where x is positive, else slope * x, with a constant slope."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.elementwise import leaky_relu


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    return apply(graph, graph.tensor(node.input(0)), leaky_relu(graph.number(node.input(1))))


RULES = (Rule("PRelu", "with one slope for all channels", _rewrite),)
