"""Constants that scale and shift a computed tensor: y = scale * x + shift.

Numbers make a pointwise function. What varies along axes goes into the linear node that computes the tensor,
where that can take it up. Transpositions and reshapes between the two are no obstacle: the constant moves
back through them. Otherwise a sum adds a shift, and a convolution of single positions scales channels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.broadcasting import broadcast_shape, broadcast_to, compact
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.convolution import convolve
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.linear_map import scaled_along_axes
from deepprove_dist.operators.conv import MAX_SPATIAL_AXES
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.layer import along
from deepprove_dist.operators.pointwise import IDENTITY, affine
from deepprove_dist.operators.weighted_sum import FloatSum
from deepprove_dist.operators.window import single_positions

CHANNELS = 1


def scale_and_shift(graph: GraphBuilder, tensor: str, scale: FloatArray, shift: FloatArray) -> str:
    """The tensor ``scale * tensor + shift``, under the shape that the three of them broadcast to."""
    if scale.size == shift.size == 1 and max(scale.ndim, shift.ndim) <= len(graph.shape(tensor)):
        return apply(graph, tensor, IDENTITY * scale.item() + shift.item())
    shape = broadcast_shape([graph.shape(tensor), scale.shape, shift.shape])
    tensor = broadcast_to(graph, tensor, shape)
    folded = _folded(graph, tensor, scale, shift)
    if folded is not None:
        # The layer without these constants stays for its other readers, if it has any.
        return folded
    if 2 <= len(shape) <= 2 + MAX_SPATIAL_AXES:
        factors, offsets = (along(values, shape, CHANNELS) for values in (scale, shift))
        if factors is not None and offsets is not None:
            window = single_positions(len(shape) - 2)
            weight = factors.reshape(-1, 1, *window.kernel)
            return convolve(graph, tensor, weight, offsets, window, groups=len(factors))
    if scale.size == 1:
        return weighted_sum(graph, [tensor], [scale.item()], shift)
    return scaled_along_axes(graph, tensor, scale, shift)


def weighted_sum(
    graph: GraphBuilder, tensors: Sequence[str], coefficients: Sequence[float], constant: FloatArray
) -> str:
    """A sum of tensors and a constant, all broadcast; numbers that scale and shift a term go into it."""
    shape = broadcast_shape([*map(graph.shape, tensors), constant.shape])
    lines = [_line(graph, tensor) for tensor in tensors]
    factors = tuple(
        coefficient * scale for coefficient, (_, scale, _) in zip(coefficients, lines, strict=True)
    )
    shifts = sum(coefficient * shift for coefficient, (_, _, shift) in zip(coefficients, lines, strict=True))
    terms = tuple(broadcast_to(graph, term, shape) for term, _, _ in lines)
    return graph.add(FloatSum, terms, factors, constant + shifts)


def with_numbers_in_layers(nodes: Iterable[FloatOperator], graph: GraphBuilder) -> list[FloatOperator]:
    """The nodes, where a layer takes up numbers that scale and shift all of its output.

    The layer without them may stay without a reader. This is done once all nodes are known: before, such
    numbers may still become part of an activation.
    """
    return [_with_numbers(node, graph) for node in nodes]


def _line(graph: GraphBuilder, tensor: str) -> tuple[str, float, float]:
    """(term, scale, shift) with tensor = scale * term + shift, where the tensor has one reader."""
    node = graph.producer(tensor)
    if node is not None and node.elementwise is not None and graph.readers(tensor) == 1:
        line = affine(node.elementwise)
        if line is not None:
            return node.input, *line
    return tensor, 1.0, 0.0


def _folded(graph: GraphBuilder, tensor: str, scale: FloatArray, shift: FloatArray) -> str | None:
    """The scaled and shifted tensor by the linear node before it, also after views; None without one."""
    node = graph.producer(tensor)
    if node is None:
        return None
    node = _with_numbers(node, graph)
    if node.as_linear() is not None:
        scaled = node.scaled(scale, shift, graph.shape(tensor))
        if scaled is not None:
            return graph.add_node(scaled)
        # A sum takes up the linear node, where nothing else reads that.
        return weighted_sum(graph, [tensor], [scale.item()], shift) if scale.size == 1 else None
    if len(node.inputs) != 1:
        return None
    before = [node.moved_back(values, graph.shape(node.input)) for values in (scale, shift)]
    constants = [compact(values) for values in before if values is not None]
    if len(constants) != len(before):
        return None
    inner = _folded(graph, node.input, *constants)
    return None if inner is None else graph.add_node(replace(node, inputs=(inner,)))


def _with_numbers(node: FloatOperator, graph: GraphBuilder) -> FloatOperator:
    """The layer before, where a node only scales and shifts its output; else the node itself."""
    line = None if node.elementwise is None else affine(node.elementwise)
    layer = None if line is None else graph.producer(node.input)
    if line is None or layer is None:
        return node
    scale, shift = map(np.array, line)
    scaled = layer.scaled(scale, shift, graph.shape(node.input))
    return node if scaled is None else replace(scaled, output=node.output)
