"""Conv: a convolution with constant weights over one to three axes."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.convolution import convolve
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.windows import WINDOW_ATTRIBUTES, stated_window


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    weight = graph.weights(node.input(1), "the kernel")
    bias = graph.numbers(node.input(2), "the bias") if node.input(2) else np.zeros(len(weight))
    window = stated_window(node, graph, weight.shape[2:])
    groups = node.attributes.get("group", 1)
    channels = graph.shape(node.input(0))[1]
    if groups < 1 or weight.shape[1] * groups != channels or len(weight) % groups or len(bias) != len(weight):
        raise UnsupportedNodeError(
            f"its kernel {weight.shape}, bias {bias.shape} and group {groups} do not fit {channels} channels",
            "kernels (outputs, channels / groups, ...) and a bias for each output",
        )
    return convolve(graph, graph.tensor(node.input(0)), weight, bias, window, groups)


RULES = (
    Rule(
        "Conv",
        "over one to three axes with constant weights and bias",
        _rewrite,
        WINDOW_ATTRIBUTES | {"group"},
    ),
)
