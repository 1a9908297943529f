"""Gemm: alpha * A' * B' + beta * C, where B and C are constants: a dense layer."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.layer import along


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    weight = graph.numbers(node.input(1), "B")
    addend = graph.numbers(node.input(2), "C") if node.input(2) else np.zeros(())
    if node.attributes.get("transA", 0) and graph.shape(node.input(0)) != (1, 1):
        raise UnsupportedNodeError("transA transposes the computed tensor A")
    rows = weight if node.attributes.get("transB", 0) else weight.T
    scaled = rows * node.attributes.get("alpha", 1.0)
    bias = along(addend, graph.shape(node.output), 1)
    if bias is None:
        raise UnsupportedNodeError("C varies over other axes than the columns")
    bias = bias * node.attributes.get("beta", 1.0)
    return graph.add(FloatDense, graph.tensor(node.input(0)), scaled, bias)


RULES = (
    Rule(
        "Gemm",
        "with constant B and constant C (a bias for each output column), transA = 0",
        _rewrite,
        frozenset({"alpha", "beta", "transA", "transB"}),
    ),
)
