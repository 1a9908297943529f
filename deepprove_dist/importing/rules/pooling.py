"""Pools over windows, and global ones, whose window is all of the spatial axes."""

import onnx

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.maxima import add_max_pool
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES
from deepprove_dist.importing.rewriting.windows import (
    WINDOW_ATTRIBUTES,
    counts,
    covering,
    single_window,
    stated_window,
)
from deepprove_dist.operators.sum_pool import FloatAveragePool


def _max(node: OnnxNode, graph: GraphBuilder) -> str:
    stated = stated_window(node, graph, node.attributes["kernel_shape"])
    spatial, positions = _axes(node, graph)
    window = covering(stated, spatial, positions)
    for axis, (size, count) in enumerate(zip(spatial, positions, strict=True)):
        counts(window, axis, count, 0, size)
    return add_max_pool(graph, graph.tensor(node.input(0)), window)


def _average(node: OnnxNode, graph: GraphBuilder) -> str:
    stated = stated_window(node, graph, node.attributes["kernel_shape"])
    spatial, positions = _axes(node, graph)
    window = covering(stated, spatial, positions)
    divisors = []
    for axis, (size, count) in enumerate(zip(spatial, positions, strict=True)):
        first, last = 0, size
        if node.attributes.get("count_include_pad", 0):
            # What ceil_mode adds after the stated padding never counts.
            first, last = -stated.before(axis), size + stated.after(axis)
        divisors.append(counts(window, axis, count, first, last))
    return graph.add(FloatAveragePool, graph.tensor(node.input(0)), window, tuple(divisors))


def _global_max(node: OnnxNode, graph: GraphBuilder) -> str:
    return add_max_pool(graph, graph.tensor(node.input(0)), single_window(graph.spatial(node.input(0))))


def _global_average(node: OnnxNode, graph: GraphBuilder) -> str:
    window = single_window(graph.spatial(node.input(0)))
    divisors = tuple((size,) for size in window.kernel)
    return graph.add(FloatAveragePool, graph.tensor(node.input(0)), window, divisors)


def _axes(node: OnnxNode, graph: GraphBuilder) -> tuple[Shape, Shape]:
    """The spatial axes of input and output."""
    return graph.spatial(node.input(0)), graph.shape(node.output)[2:]


RULES = (
    Rule(
        "MaxPool",
        "over one to three axes, without its indices, each window with a position inside the input",
        _max,
        WINDOW_ATTRIBUTES | {"ceil_mode", "storage_order"},
        (*FLOAT_TYPES, onnx.TensorProto.INT8, onnx.TensorProto.UINT8),
    ),
    Rule(
        "AveragePool",
        "over one to three axes, each window with a position that counts",
        _average,
        WINDOW_ATTRIBUTES | {"ceil_mode", "count_include_pad"},
    ),
    Rule("GlobalMaxPool", "over one to three axes", _global_max),
    Rule("GlobalAveragePool", "over one to three axes", _global_average),
)
