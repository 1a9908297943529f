"""LogSoftmax and ReduceLogSumExp: relative to the maximum, so that no row loses precision to a larger one.

log sum exp x = m + log sum exp(x - m),    m = max x
"""

import numpy as np

from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.last_axis import along_axes
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.reduce import largest, reduced_axes, summed
from deepprove_dist.importing.rules.softmax import normalised_axes
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.operators.reshape import FloatReshape


def _log_softmax(node: OnnxNode, graph: GraphBuilder) -> str:
    def rows(tensor: str, size: int) -> str:
        if size == 1:
            return weighted_sum(graph, [tensor], [0.0], np.zeros(()))
        axes = (len(graph.shape(tensor)) - 1,)
        differences, logarithm = _relative(graph, tensor, largest(graph, tensor, axes), axes)
        return weighted_sum(graph, [differences, logarithm], [1.0, -1.0], np.zeros(()))

    return along_axes(graph, graph.tensor(node.input(0)), normalised_axes(node, graph), rows)


def _log_sum_exp(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor, shape = graph.tensor(node.input(0)), graph.shape(node.input(0))
    axes = reduced_axes(node, graph, len(shape))
    if not axes:
        return tensor
    if all(shape[axis] == 1 for axis in axes):
        total = tensor
    else:
        maximum = largest(graph, tensor, axes)
        _, logarithm = _relative(graph, tensor, maximum, axes)
        total = weighted_sum(graph, [maximum, logarithm], [1.0, 1.0], np.zeros(()))
    if node.attributes.get("keepdims", 1):
        return total
    return graph.add(FloatReshape, total, tuple(n for axis, n in enumerate(shape) if axis not in axes))


def _relative(graph: GraphBuilder, tensor: str, maximum: str, axes: tuple[int, ...]) -> tuple[str, str]:
    """x - m, and log sum exp of it, with axes of size 1 in place of those that are summed over."""
    differences = weighted_sum(graph, [tensor, maximum], [1.0, -1.0], np.zeros(()))
    total = summed(graph, apply(graph, differences, call(np.exp, IDENTITY)), axes)
    kept = graph.add(FloatReshape, total, graph.shape(maximum))
    return differences, apply(graph, kept, call(np.log, IDENTITY))


_REDUCTION = frozenset({"axes", "keepdims", "noop_with_empty_axes"})
RULES = (
    Rule("LogSoftmax", "over any axis", _log_softmax, frozenset({"axis"})),
    Rule("ReduceLogSumExp", "over constant axes", _log_sum_exp, _REDUCTION),
)
