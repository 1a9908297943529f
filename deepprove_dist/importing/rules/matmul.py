"""MatMul by a constant matrix on the right: a dense layer without bias."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.dense import FloatDense


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    first, second = node.input(0), node.input(1)
    if graph.is_constant(first):
        raise UnsupportedNodeError(f"the left operand ('{first}') is the constant; it must be the right one")
    if not graph.is_constant(second):
        raise UnsupportedNodeError(f"both operands ('{first}', '{second}') are computed", advice=CUT)
    weight = graph.numbers(second, "the right operand")
    if weight.ndim != 2:
        raise UnsupportedNodeError(f"the constant has the shape {weight.shape}, it must be a matrix")
    rows = weight.T
    return graph.add(FloatDense, graph.tensor(first), rows, np.zeros(len(rows)))


RULES = (Rule("MatMul", "of a computed tensor with a constant matrix on its right", _rewrite),)
