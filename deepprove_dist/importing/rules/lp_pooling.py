"""LpPool and GlobalLpPool: the p-th root of the sum of |x|^p over a window, a sum between two functions."""

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.windows import (
    WINDOW_ATTRIBUTES,
    counts,
    covering,
    single_window,
    stated_window,
)
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.operators.sum_pool import FloatAveragePool
from deepprove_dist.operators.window import Window


def _windows(node: OnnxNode, graph: GraphBuilder) -> str:
    spatial, positions = graph.spatial(node.input(0)), graph.shape(node.output)[2:]
    stated = stated_window(node, graph, node.attributes["kernel_shape"])
    window = covering(stated, spatial, positions)
    for axis, (size, count) in enumerate(zip(spatial, positions, strict=True)):
        # onnxruntime has no position for a window that lies outside.
        counts(window, axis, count, 0, size)
    return _pooled(node, graph, window)


def _global(node: OnnxNode, graph: GraphBuilder) -> str:
    return _pooled(node, graph, single_window(graph.spatial(node.input(0))))


def _pooled(node: OnnxNode, graph: GraphBuilder, window: Window) -> str:
    power = node.attributes.get("p", 2)
    if power < 1:
        raise UnsupportedNodeError(f"its p is {power}", "p of 1 or more")
    sizes = call(np.absolute, IDENTITY)
    powers = apply(graph, graph.tensor(node.input(0)), sizes if power == 1 else sizes**power)
    divisors = tuple((1,) * count for count in window.output(graph.spatial(node.input(0))))
    sums = graph.add(FloatAveragePool, powers, window, divisors)
    return sums if power == 1 else apply(graph, sums, call(np.power, IDENTITY, 1 / power))


RULES = (
    Rule(
        "LpPool",
        "over one to three axes, each window with a position inside the input",
        _windows,
        WINDOW_ATTRIBUTES | {"ceil_mode", "p"},
    ),
    Rule("GlobalLpPool", "over one to three axes", _global, frozenset({"p"})),
)
