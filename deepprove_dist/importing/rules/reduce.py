"""ReduceMean: an average pool whose window is all of the reduced axes.

Where these are spatial axes, one pool does it. Otherwise the tensor is arranged so that they are.
"""

from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.importing.rule import Rule
from deepprove_dist.importing.windows import single_window
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.sum_pool import FloatAveragePool
from deepprove_dist.operators.transpose import FloatTranspose

# A pool's input is [batch, channels, *spatial]: two axes, and then one or two more.
LEAD = AXES = 2


def _mean(node: OnnxNode, graph: GraphBuilder) -> None:
    shape, output = graph.shape(node.input(0)), node.outputs[0]
    axes = _axes(node, graph, len(shape))
    if not axes:
        graph.alias(output, node.input(0))
        return
    source = graph.tensor(node.input(0))
    if not (LEAD < len(shape) <= LEAD + AXES and min(axes) >= LEAD):
        source, shape = _arranged(node, graph, source, axes)
        axes = tuple(range(LEAD, len(shape)))
    pooled = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    target = output if pooled == graph.shape(output) else graph.intermediate(output, pooled)
    kernel = tuple(size if axis in axes else 1 for axis, size in enumerate(shape))[LEAD:]
    window = single_window(kernel)
    divisors = tuple((width,) * count for width, count in zip(kernel, pooled[LEAD:], strict=True))
    graph.add(FloatAveragePool(node.name, (source,), target, window, divisors))
    if target != output:
        graph.add(FloatReshape(node.name, (target,), output, graph.shape(output)))


def _axes(node: OnnxNode, graph: GraphBuilder, rank: int) -> tuple[int, ...]:
    """The reduced axes in order, counted from 0; all axes where the node states none."""
    stated = node.attributes.get("axes", ())
    if node.input(1):
        stated = graph.required(node.input(1), "the list of axes").reshape(-1).tolist()
    if not stated:
        return () if node.attributes.get("noop_with_empty_axes", 0) else tuple(range(rank))
    if not all(-rank <= axis < rank for axis in stated):
        raise UnsupportedNodeError(f"its axes {list(stated)} are not all axes of a tensor of rank {rank}")
    return tuple(sorted({axis % rank for axis in stated}))


def _arranged(node: OnnxNode, graph: GraphBuilder, tensor: str, axes: tuple[int, ...]) -> tuple[str, Shape]:
    """The tensor with the reduced axes as its spatial ones, and its shape then."""
    shape, output = graph.shape(node.input(0)), node.outputs[0]
    kept = tuple(axis for axis in range(len(shape)) if axis not in axes)
    order = (*kept, *axes)
    long = [axis for axis in order if shape[axis] > 1]
    if long != sorted(long):
        moved = graph.intermediate(output, tuple(shape[axis] for axis in order))
        graph.add(FloatTranspose(node.name, (tensor,), moved, order))
        tensor = moved
    lead, spatial = (_few([shape[axis] for axis in group]) for group in (kept, axes))
    target = (*(1,) * (LEAD - len(lead)), *lead, *(spatial or (1,)))
    if target != graph.shape(tensor):
        reshaped = graph.intermediate(output, target)
        graph.add(FloatReshape(node.name, (tensor,), reshaped, target))
        tensor = reshaped
    return tensor, target


def _few(sizes: list[int]) -> Shape:
    """The sizes without ones, or their product where there are more than a pool has axes for."""
    long = tuple(size for size in sizes if size > 1)
    return long if len(long) <= AXES else (prod(long),)


RULES = (
    Rule(
        "ReduceMean",
        frozenset({"axes", "keepdims", "noop_with_empty_axes"}),
        "ReduceMean over constant axes",
        _mean,
    ),
)
