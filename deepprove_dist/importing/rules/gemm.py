"""Gemm: alpha * A' * B' + beta * C. A product of matrices, of which one or both are computed, and a sum."""

import numpy as np

from deepprove_dist.arrays import Reals
from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import COLUMN, ROW, SUMMED, contract
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.linear_map import linear_map
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.pointwise import IDENTITY


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    product = _product(node, graph)
    beta = node.attributes.get("beta", 1.0)
    if not node.input(2) or beta == 0:
        return product
    if graph.is_constant(node.input(2)):
        return scale_and_shift(graph, product, np.array(1.0), beta * graph.numbers(node.input(2), "C"))
    return weighted_sum(graph, [product, graph.tensor(node.input(2))], (1.0, beta), np.zeros(()))


def _product(node: OnnxNode, graph: GraphBuilder) -> str:
    """alpha * A' * B'."""
    alpha = node.attributes.get("alpha", 1.0)
    left, right = [ROW, SUMMED], [SUMMED, COLUMN]
    if node.attributes.get("transA", 0):
        left.reverse()
    if node.attributes.get("transB", 0):
        right.reverse()
    output = [ROW, COLUMN]
    if graph.is_constant(node.input(1)):
        weight = _scaled(graph.weights(node.input(1), "B"), alpha)
        return linear_map(graph, graph.tensor(node.input(0)), left, weight, right, output)
    if graph.is_constant(node.input(0)):
        weight = _scaled(graph.weights(node.input(0), "A"), alpha)
        return linear_map(graph, graph.tensor(node.input(1)), right, weight, left, output)
    tensors = graph.tensor(node.input(0)), graph.tensor(node.input(1))
    product = contract(graph, tensors, (left, right), output)
    return product if alpha == 1.0 else apply(graph, product, IDENTITY * alpha)


def _scaled(weight: Reals, alpha: float) -> Reals:
    """The weight itself where nothing changes: it may be mapped from a file."""
    return weight if alpha == 1.0 else alpha * weight.astype(np.float64)


RULES = (
    Rule(
        "Gemm",
        "of two tensors, one of which may be constant, and any C",
        _rewrite,
        frozenset({"alpha", "beta", "transA", "transB"}),
    ),
)
