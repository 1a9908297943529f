"""Slice and Split: parts of a tensor along axes."""

from itertools import accumulate, pairwise

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of, select
from deepprove_dist.importing.rewriting.standard import ALL_TYPES


def _slice(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    starts, ends = (
        [int(number) for number in graph.required(node.input(index), role)]
        for index, role in ((1, "its starts"), (2, "its ends"))
    )
    axes, steps = list(range(len(starts))), [1] * len(starts)
    if node.input(3):
        axes = [axis_of(int(axis), len(shape)) for axis in graph.required(node.input(3), "its axes")]
    if node.input(4):
        steps = [int(step) for step in graph.required(node.input(4), "its steps")]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step == 0:
            raise UnsupportedNodeError("its step is 0")
        # What Python makes of a slice is what ONNX says, but for an end before the first element.
        stop = None if step < 0 and end < -shape[axis] else end
        tensor = select(graph, tensor, axis, range(shape[axis])[start:stop:step])
    return tensor


def _split(node: OnnxNode, graph: GraphBuilder) -> tuple[str, ...]:
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    axis = axis_of(node.attributes.get("axis", 0), len(shape))
    if node.input(1):
        sizes = [int(size) for size in graph.required(node.input(1), "the sizes of its parts")]
    else:
        # Equal parts, of which the last one may be smaller.
        part = -(-shape[axis] // len(node.outputs))
        sizes = list(node.attributes.get("split", [part] * len(node.outputs)))
    ends = [min(end, shape[axis]) for end in accumulate(sizes, initial=0)]
    return tuple(
        select(graph, tensor, axis, range(first, end)) if name else ""
        for name, (first, end) in zip(node.outputs, pairwise(ends), strict=True)
    )


RULES = (
    Rule("Slice", "by constant starts, ends, axes and steps", _slice, types=ALL_TYPES),
    Rule(
        "Split",
        "into parts of constant sizes",
        _split,
        frozenset({"axis", "num_outputs", "split"}),
        types=ALL_TYPES,
    ),
)
