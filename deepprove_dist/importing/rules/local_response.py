"""LRN: x (bias + alpha / size * the sum of x^2 over the channels nearby)^-beta.

The sum is a band matrix along the channels. The power is a function of each sum, and multiplies x.
"""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.linear_map import along_axis
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.operators.multiply import FloatMultiply
from deepprove_dist.operators.pointwise import IDENTITY, call

CHANNELS = 1


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor, size = graph.tensor(node.input(0)), node.attributes["size"]
    alpha, beta = node.attributes.get("alpha", 1e-4), node.attributes.get("beta", 0.75)
    channels = np.arange(graph.shape(tensor)[CHANNELS])
    offsets = channels[np.newaxis, :] - channels[:, np.newaxis]
    nearby = (offsets >= -((size - 1) // 2)) & (offsets <= size // 2)
    squares = apply(graph, tensor, IDENTITY * IDENTITY)
    sums = along_axis(graph, squares, CHANNELS, nearby.astype(np.float64))
    base = IDENTITY * (alpha / size) + node.attributes.get("bias", 1.0)
    return graph.add(FloatMultiply, (tensor, apply(graph, sums, call(np.power, base, -beta))))


RULES = (
    Rule(
        "LRN",
        "over the channels",
        _rewrite,
        frozenset({"alpha", "beta", "bias", "size"}),
    ),
)
