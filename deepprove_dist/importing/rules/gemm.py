"""Gemm: alpha * A' * B' + beta * C, where B and C are constants: a dense layer."""

import numpy as np

from deepprove_dist.importing.affine import along
from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.operators.dense import FloatDense


def _apply(node: OnnxNode, graph: GraphBuilder) -> None:
    weight = graph.numbers(node.input(1), "B")
    addend = graph.numbers(node.input(2), "C") if node.input(2) else None
    source, output = graph.tensor(node.input(0)), node.outputs[0]
    if node.attributes.get("transA", 0) and graph.shape(node.input(0)) != (1, 1):
        raise UnsupportedNodeError("transA transposes the computed tensor A")
    rows = weight if node.attributes.get("transB", 0) else weight.T
    scaled = rows * node.attributes.get("alpha", 1.0)
    bias = (
        np.zeros(len(rows))
        if addend is None
        else along(addend, graph.shape(output), -1) * node.attributes.get("beta", 1.0)
    )
    graph.add(FloatDense(node.name, (source,), output, scaled, bias))


RULES = (
    Rule(
        "Gemm",
        frozenset({"alpha", "beta", "transA", "transB"}),
        "Gemm with constant B and constant C (a bias for each output column), transA = 0",
        _apply,
    ),
)
