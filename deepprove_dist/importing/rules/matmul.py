"""MatMul by a constant matrix on the right: a dense layer without bias."""

import numpy as np

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.operators.dense import FloatDense


def _apply(node: OnnxNode, graph: GraphBuilder) -> None:
    if graph.is_constant(node.input(0)):
        raise UnsupportedNodeError(
            f"the left operand ('{node.input(0)}') is the constant; it must be the right one"
        )
    if not graph.is_constant(node.input(1)):
        raise UnsupportedNodeError(
            f"both operands ('{node.input(0)}', '{node.input(1)}') are computed", advice=CUT
        )
    weight = graph.numbers(node.input(1), "the right operand")
    if weight.ndim != 2:
        raise UnsupportedNodeError(f"the constant has the shape {weight.shape}, it must be a matrix")
    rows = weight.T
    source = graph.tensor(node.input(0))
    graph.add(FloatDense(node.name, (source,), node.outputs[0], rows, np.zeros(len(rows))))


RULES = (
    Rule("MatMul", frozenset(), "MatMul of a computed tensor with a constant matrix on its right", _apply),
)
