"""Products of matrices that are both computed: MatMul of any rank, Gemm, and Einsum of two tensors."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import contract
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.pointwise import IDENTITY

ROW, COLUMN, SUMMED, ELLIPSIS = "row", "column", "summed", "..."


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


def _einsum(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if len(node.inputs) != 2 or any(map(graph.is_constant, node.inputs)):
        return None
    equation = node.attributes["equation"].decode().replace(" ", "")
    terms, arrow, result = equation.partition("->")
    sides = terms.split(",")
    if len(sides) != 2:
        raise UnsupportedNodeError(f"its equation '{equation}' is not of its two inputs")
    left, right = (
        _labels(side, len(graph.shape(name))) for side, name in zip(sides, node.inputs, strict=True)
    )
    if not arrow:
        result = ELLIPSIS + "".join(
            label for label in sorted(set(terms) - set(".,")) if terms.count(label) == 1
        )
    batches = max(len([label for label in side if label.startswith(ELLIPSIS)]) for side in (left, right))
    output = _labels(result, batches + len(result.replace(ELLIPSIS, "")))
    if any(len(set(side)) != len(side) for side in (left, right)):
        raise UnsupportedNodeError(
            f"its equation '{equation}' takes a diagonal", "Einsum whose operands have each label once"
        )
    alone = sorted((set(left) ^ set(right)) - set(output))
    if alone:
        raise UnsupportedNodeError(
            f"its equation '{equation}' sums over {alone} of one operand alone",
            "Einsum that sums over labels of both operands",
            "put a ReduceSum before it",
        )
    return contract(graph, (graph.tensor(node.input(0)), graph.tensor(node.input(1))), (left, right), output)


def _labels(term: str, rank: int) -> list[str]:
    """A label for each of so many axes; those of an ellipsis are numbered from the last one on."""
    before, dots, after = term.partition(ELLIPSIS)
    batches = rank - len(before) - len(after)
    if batches < 0 or (batches > 0 and not dots):
        raise UnsupportedNodeError(f"its term '{term}' does not fit a tensor of rank {rank}")
    return [*before, *(f"{ELLIPSIS}{number}" for number in reversed(range(batches))), *after]


RULES = (
    Rule("MatMul", "of two computed tensors of any rank", _matmul),
    Rule(
        "Gemm",
        "of computed tensors A and B, without C",
        _gemm,
        frozenset({"alpha", "beta", "transA", "transB"}),
    ),
    Rule("Einsum", "of two computed tensors", _einsum, frozenset({"equation"}), since=12),
)
