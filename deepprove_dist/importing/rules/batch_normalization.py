"""BatchNormalization in inference: a scale and a shift for each channel."""

import numpy as np

from deepprove_dist.importing.rewriting.affine import scale_and_shift
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import AFTER_EVAL, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule

ROLES = ("the scale", "the shift", "the mean", "the variance")


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    if node.attributes.get("training_mode", 0):
        raise UnsupportedNodeError("its training_mode is set", advice=AFTER_EVAL)
    scale, shift, mean, variance = (
        graph.numbers(node.input(1 + index), role) for index, role in enumerate(ROLES)
    )
    divisor = variance + node.attributes.get("epsilon", 1e-5)
    if (divisor <= 0).any():
        raise UnsupportedNodeError(f"the variance ('{node.input(4)}') is not positive")
    factor = scale / np.sqrt(divisor)
    channels = (-1, *(1 for _ in graph.shape(node.input(0))[2:]))
    offset = (shift - mean * factor).reshape(channels)
    return scale_and_shift(graph, graph.tensor(node.input(0)), factor.reshape(channels), offset)


RULES = (
    Rule(
        "BatchNormalization",
        "in inference mode with constant parameters",
        _rewrite,
        frozenset({"epsilon", "momentum", "training_mode"}),
    ),
)
