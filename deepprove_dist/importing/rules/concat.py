"""Concat: tensors one after the other along an axis; some of them may be constant."""

from itertools import accumulate, pairwise

import numpy as np

from deepprove_dist.importing.rewriting.arranging import numbered
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.constants import arrange_among
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.concat import MAX_INPUTS, FloatConcat


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    axis = node.attributes["axis"] % len(graph.shape(node.output))
    names = [name for name in node.inputs if graph.shape(name)[axis] > 0]
    computed = tuple(graph.tensor(name) for name in names if not graph.is_constant(name))
    joined = _joined(graph, computed, axis)
    return joined if len(computed) == len(names) else _among_constants(names, joined, axis, graph)


def _joined(graph: GraphBuilder, parts: tuple[str, ...], axis: int) -> str:
    """One tensor of all parts; of more than one node takes by several."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) <= MAX_INPUTS:
        return graph.add(FloatConcat, parts, axis)
    blocks = (parts[start : start + MAX_INPUTS] for start in range(0, len(parts), MAX_INPUTS))
    return _joined(graph, tuple(_joined(graph, block, axis) for block in blocks), axis)


def _among_constants(names: list[str], joined: str, axis: int, graph: GraphBuilder) -> str:
    """The computed parts, joined already, with the constant ones between them."""
    shapes = [graph.shape(name) for name in names]
    shape = (*shapes[0][:axis], sum(sizes[axis] for sizes in shapes), *shapes[0][axis + 1 :])
    places, constant, first = np.full(shape, -1), np.zeros(shape), 0
    numbers = numbered(graph.shape(joined))
    for name, (start, end) in zip(
        names, pairwise(accumulate((s[axis] for s in shapes), initial=0)), strict=True
    ):
        part = (slice(None),) * axis + (slice(start, end),)
        if graph.is_constant(name):
            constant[part] = graph.numbers(name, "a part")
        else:
            size = end - start
            places[part] = numbers[(slice(None),) * axis + (slice(first, first + size),)]
            first += size
    return arrange_among(graph, joined, places, constant)


RULES = (Rule("Concat", "of tensors, one of them computed", _rewrite, frozenset({"axis"}), ALL_TYPES),)
