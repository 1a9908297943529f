"""Pools over windows, and global ones, whose window is all of the spatial axes."""

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.rule import Rule
from deepprove_dist.importing.windows import WINDOW_ATTRIBUTES, counts, covering, single_window, stated_window
from deepprove_dist.operators.max_pool import FloatMaxPool
from deepprove_dist.operators.sum_pool import FloatAveragePool


def _max(node: OnnxNode, graph: GraphBuilder) -> None:
    window, spatial, places = stated_window(node, graph, node.attributes["kernel_shape"]), *_axes(node, graph)
    window = covering(window, spatial, places)
    for axis, (size, count) in enumerate(zip(spatial, places, strict=True)):
        counts(window, axis, count, 0, size)
    graph.add(FloatMaxPool(node.name, (graph.tensor(node.input(0)),), node.outputs[0], window))


def _average(node: OnnxNode, graph: GraphBuilder) -> None:
    stated, spatial, places = stated_window(node, graph, node.attributes["kernel_shape"]), *_axes(node, graph)
    window = covering(stated, spatial, places)
    divisors = []
    for axis, (size, count) in enumerate(zip(spatial, places, strict=True)):
        first, last = 0, size
        if node.attributes.get("count_include_pad", 0):
            # What ceil_mode adds behind the stated padding never counts.
            first, last = -stated.before(axis), size + stated.behind(axis)
        divisors.append(counts(window, axis, count, first, last))
    source = graph.tensor(node.input(0))
    graph.add(FloatAveragePool(node.name, (source,), node.outputs[0], window, tuple(divisors)))


def _global_max(node: OnnxNode, graph: GraphBuilder) -> None:
    source = graph.tensor(node.input(0))
    graph.add(
        FloatMaxPool(node.name, (source,), node.outputs[0], single_window(graph.spatial(node.input(0))))
    )


def _global_average(node: OnnxNode, graph: GraphBuilder) -> None:
    window = single_window(graph.spatial(node.input(0)))
    divisors = tuple((size,) for size in window.kernel)
    source = graph.tensor(node.input(0))
    graph.add(FloatAveragePool(node.name, (source,), node.outputs[0], window, divisors))


def _axes(node: OnnxNode, graph: GraphBuilder) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return graph.spatial(node.input(0)), graph.shape(node.outputs[0])[2:]


RULES = (
    Rule(
        "MaxPool",
        WINDOW_ATTRIBUTES | {"ceil_mode", "storage_order"},
        "MaxPool over one or two axes, without its indices, each window with a place inside the input",
        _max,
    ),
    Rule(
        "AveragePool",
        WINDOW_ATTRIBUTES | {"ceil_mode", "count_include_pad"},
        "AveragePool over one or two axes, each window with a place that counts",
        _average,
    ),
    Rule("GlobalMaxPool", frozenset(), "GlobalMaxPool over one or two axes", _global_max),
    Rule("GlobalAveragePool", frozenset(), "GlobalAveragePool over one or two axes", _global_average),
)
