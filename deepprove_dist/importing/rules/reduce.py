"""ReduceMean: an average pool whose window is all of the reduced axes.

Where these are spatial axes, one pool does it. Otherwise the reduced axes are moved to the end, and all the
others joined, so that one window of one axis covers them.
"""

from math import prod

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.float_graph import FloatAveragePool, FloatReshape, FloatTranspose
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.model.integer_model import Shape
from deepprove_dist.operators.window import Window


def _mean(node: OnnxNode, graph: GraphBuilder) -> None:
    source, shape, output = graph.tensor(node.input(0)), graph.shape(node.input(0)), node.outputs[0]
    axes = _axes(node, graph, len(shape))
    if not axes:
        graph.alias(output, node.input(0))
        return
    if not (3 <= len(shape) <= 4 and min(axes) >= 2):
        source, shape, axes = _joined(node, graph, axes), _joined_shape(shape, axes), (2,)
    pooled = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    target = output if pooled == graph.shape(output) else graph.intermediate(output, pooled)
    sizes = shape[2:]
    kernel = tuple(size if 2 + axis in axes else 1 for axis, size in enumerate(sizes))
    ones = (1,) * len(kernel)
    window = Window(kernel, ones, (0,) * (2 * len(kernel)), ones)
    divisors = tuple((width,) * (size // width) for width, size in zip(kernel, sizes, strict=True))
    graph.add(FloatAveragePool(node.name, (source,), target, window, divisors))
    if target != output:
        graph.add(FloatReshape(node.name, (target,), output))


def _axes(node: OnnxNode, graph: GraphBuilder, rank: int) -> tuple[int, ...]:
    """The reduced axes in order, counted from 0; all axes where the node states none."""
    stated = node.attributes.get("axes", ())
    if node.input(1):
        stated = graph.required(node.input(1), "the list of axes").reshape(-1).tolist()
    if not stated:
        return () if node.attributes.get("noop_with_empty_axes", 0) else tuple(range(rank))
    if not all(-rank <= axis < rank for axis in stated):
        raise UnsupportedNodeError(f"its axes {list(stated)} are not all axes of a tensor of rank {rank}")
    return tuple(sorted({int(axis) % rank for axis in stated}))


def _joined(node: OnnxNode, graph: GraphBuilder, axes: tuple[int, ...]) -> str:
    """The tensor [1, kept, reduced] that the node's input is arranged to."""
    tensor, shape, output = graph.tensor(node.input(0)), graph.shape(node.input(0)), node.outputs[0]
    order = (*(axis for axis in range(len(shape)) if axis not in axes), *axes)
    if order != tuple(range(len(shape))):
        moved = graph.intermediate(output, tuple(shape[axis] for axis in order))
        graph.add(FloatTranspose(node.name, (tensor,), moved, order))
        tensor = moved
    joined = graph.intermediate(output, _joined_shape(shape, axes))
    graph.add(FloatReshape(node.name, (tensor,), joined))
    return joined


def _joined_shape(shape: Shape, axes: tuple[int, ...]) -> Shape:
    reduced = prod(shape[axis] for axis in axes)
    return 1, prod(shape) // reduced, reduced


RULES = (
    Rule(
        "ReduceMean",
        frozenset({"axes", "keepdims", "noop_with_empty_axes"}),
        "ReduceMean over constant axes",
        _mean,
    ),
)
