"""MatMul of two computed tensors of any rank."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import contract, matrix_axes
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule


def _matmul(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if any(map(graph.is_constant, node.inputs)):
        return None
    labels, output = matrix_axes([len(graph.shape(name)) for name in node.inputs])
    return contract(graph, (graph.tensor(node.input(0)), graph.tensor(node.input(1))), labels, output)


RULES = (Rule("MatMul", "of two computed tensors of any rank", _matmul),)
