"""Add of a constant to a dense layer's output: the layer with a larger bias."""

from dataclasses import replace

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode, UnsupportedNodeError
from deepprove_dist.importing.rule import Rule


def _apply(node: OnnxNode, graph: GraphBuilder) -> None:
    left, right = node.input(0), node.input(1)
    tensor, addend = (
        (right, graph.constant(left)) if graph.constant(right) is None else (left, graph.constant(right))
    )
    if addend is None:
        raise UnsupportedNodeError(f"both operands ('{left}', '{right}') are computed")
    dense = graph.dense_before(tensor)
    if dense is None:
        raise UnsupportedNodeError(f"'{tensor}' is not the output of a MatMul or Gemm")
    output = node.outputs[0]
    if graph.shape(tensor) != graph.shape(output):
        raise UnsupportedNodeError(f"it broadcasts {graph.shape(tensor)} to {graph.shape(output)}")
    # The layer without this bias stays for its other readers, if it has any.
    graph.add(replace(dense, output=output, bias=dense.bias + graph.bias(addend, output)))


RULES = (
    Rule(
        "Add",
        frozenset(),
        "Add of a constant bias (a value for each place of the last axis) to the output of a MatMul or Gemm",
        _apply,
    ),
)
