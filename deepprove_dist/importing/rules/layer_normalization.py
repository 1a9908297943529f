"""LayerNormalization and RMSNormalization: over all axes from a given one on, with constant scale and bias."""

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.last_axis import along_axes, counted_axis
from deepprove_dist.importing.rewriting.norms import centred, normalised
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule

EPSILON = 1e-5


def _rewrite(*, centring: bool) -> Rewrite:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        shape = graph.shape(node.input(0))
        axis = counted_axis(node.attributes.get("axis", -1), len(shape))
        gain = _constant(node, graph, 1, "the scale", shape[axis:])
        bias = _constant(node, graph, 2, "the bias", shape[axis:])
        epsilon = node.attributes.get("epsilon", EPSILON)

        def apply(tensor: str, size: int) -> str:
            rows = centred(graph, tensor) if centring else tensor
            return normalised(graph, rows, epsilon, gain, bias)

        return along_axes(graph, graph.tensor(node.input(0)), range(axis, len(shape)), apply)

    return rewrite


def _constant(
    node: OnnxNode, graph: GraphBuilder, index: int, role: str, shape: Shape
) -> FloatArray | None:
    """A constant input, one number for each normalised entry; None where it is left out."""
    if not node.input(index):
        return None
    values = graph.numbers(node.input(index), role)
    try:
        return np.broadcast_to(values, shape).reshape(-1)
    except ValueError:
        raise UnsupportedNodeError(
            f"{role} of shape {values.shape} does not broadcast to the normalised axes {shape}"
        ) from None


_ATTRIBUTES = frozenset({"axis", "epsilon", "stash_type"})
RULES = (
    Rule(
        "LayerNormalization",
        "with constant scale and bias",
        _rewrite(centring=True),
        _ATTRIBUTES,
        since=17,
    ),
    Rule("RMSNormalization", "with a constant scale", _rewrite(centring=False), _ATTRIBUTES, since=23),
)
