"""Products of matrices that are both computed: MatMul of any rank, and Gemm."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import contract
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.pointwise import IDENTITY

ROW, COLUMN, SUMMED = "row", "column", "summed"


def _matmul(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if any(map(graph.is_constant, node.inputs)):
        return None
    ranks = [len(graph.shape(name)) for name in node.inputs]
    if 0 in ranks:
        raise UnsupportedNodeError("an operand has no axes")
    # Axes of batches are numbered from the last one on, since shapes align there.
    first, second = ([f"batch {k}" for k in reversed(range(rank - 2))] for rank in ranks)
    batches = max(first, second, key=len)
    left = [*first, ROW, SUMMED] if ranks[0] > 1 else [SUMMED]
    right = [*second, SUMMED, COLUMN] if ranks[1] > 1 else [SUMMED]
    output = [*batches, *(label for label in (ROW, COLUMN) if label in left or label in right)]
    return contract(graph, (graph.tensor(node.input(0)), graph.tensor(node.input(1))), (left, right), output)


def _gemm(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if graph.is_constant(node.input(1)) or graph.is_constant(node.input(0)):
        return None
    if node.input(2):
        raise UnsupportedNodeError(
            "its operands A and B are computed, and it adds C", "Gemm of two computed tensors without C"
        )
    left, right = [ROW, SUMMED], [SUMMED, COLUMN]
    if node.attributes.get("transA", 0):
        left.reverse()
    if node.attributes.get("transB", 0):
        right.reverse()
    tensors = graph.tensor(node.input(0)), graph.tensor(node.input(1))
    product = contract(graph, tensors, (left, right), [ROW, COLUMN])
    alpha = node.attributes.get("alpha", 1.0)
    return product if alpha == 1.0 else apply(graph, product, IDENTITY * alpha)


RULES = (
    Rule("MatMul", "of two computed tensors of any rank", _matmul),
    Rule(
        "Gemm",
        "of computed tensors A and B, without C",
        _gemm,
        frozenset({"alpha", "beta", "transA", "transB"}),
    ),
)
