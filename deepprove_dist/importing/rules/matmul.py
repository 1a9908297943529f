"""MatMul of any rank by a constant on either side, which batches broadcast to: a linear map."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import matrix_axes
from deepprove_dist.importing.rewriting.linear_map import linear_map
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
    constants = [graph.is_constant(name) for name in node.inputs]
    if constants not in ([True, False], [False, True]):
        return None
    role = "the left operand" if constants[0] else "the right operand"
    constant = graph.weights(node.inputs[constants.index(True)], role)
    tensor = graph.tensor(node.inputs[constants.index(False)])
    ranks = [constant.ndim if is_constant else len(graph.shape(tensor)) for is_constant in constants]
    sides, output = matrix_axes(ranks)
    axes, weight_axes = (sides[constants.index(kind)] for kind in (False, True))
    return linear_map(graph, tensor, axes, constant, weight_axes, output)


RULES = (Rule("MatMul", "of a computed tensor and a constant, of any rank, on either side", _rewrite),)
