"""Constants that scale and shift a computed tensor: y = scale * x + shift.

Numbers make a pointwise function. A number for each channel goes into the weights of the layer before, if
one computes the tensor, or makes a layer of its own: a convolution of single positions, grouped by channel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.convolution import convolve
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.pointwise import IDENTITY, affine
from deepprove_dist.operators.weighted_sum import FloatSum
from deepprove_dist.operators.window import single_positions

CHANNELS = 1


def scale_and_shift(graph: GraphBuilder, tensor: str, scale: FloatArray, shift: FloatArray) -> str:
    """The tensor ``scale * tensor + shift``.

    Raises UnsupportedNodeError where the constants change the shape, or vary over other axes than a layer's
    outputs or the channels.
    """
    if scale.size == shift.size == 1:
        return apply(graph, tensor, IDENTITY * scale.item() + shift.item())
    shape = graph.shape(tensor)
    if len(shape) < 2:
        raise UnsupportedNodeError(f"a tensor of shape {shape} has no channels that a constant could scale")
    layer = _linear_before(graph, tensor)
    axis = layer.channel_axis(len(shape)) if layer else None
    factors, offsets = (along(values, shape, CHANNELS if axis is None else axis) for values in (scale, shift))
    rescaled = layer.scaled_by_channel(factors, offsets) if layer else None
    if rescaled is not None:
        # The layer without these constants stays for its other readers, if it has any.
        return graph.add_node(rescaled)
    window = single_positions(len(shape) - 2)
    weight = factors.reshape(-1, 1, *window.kernel)
    return convolve(graph, tensor, weight, offsets, window, groups=len(factors))


def weighted_sum(graph: GraphBuilder, tensors: Sequence[str], coefficients: Sequence[float]) -> str:
    """A sum of tensors of one shape; numbers that scale and shift a term go into the sum."""
    lines = [_line(graph, tensor) for tensor in tensors]
    factors = tuple(
        coefficient * scale for coefficient, (_, scale, _) in zip(coefficients, lines, strict=True)
    )
    constant = sum(
        coefficient * shift for coefficient, (_, _, shift) in zip(coefficients, lines, strict=True)
    )
    return graph.add(FloatSum, tuple(term for term, _, _ in lines), factors, constant)


def with_numbers_in_layers(nodes: Iterable[FloatOperator], graph: GraphBuilder) -> list[FloatOperator]:
    """The nodes, where a layer takes up numbers that scale and shift all of its output.

    The layer without them may stay without a reader. This is done once all nodes are known: before, such
    numbers may still become part of an activation.
    """
    return [_with_numbers(node, graph) for node in nodes]


def along(values: FloatArray, shape: Shape, axis: int) -> FloatArray:
    """A constant that is combined with a tensor of this shape, as a vector over one axis of it.

    Raises UnsupportedNodeError where the constant varies over other axes, or changes the shape.
    """
    try:
        whole = np.broadcast_to(values, shape)
    except ValueError:
        raise UnsupportedNodeError(
            f"a constant of shape {values.shape} does not broadcast to {shape}"
        ) from None
    rows = np.moveaxis(whole, axis, -1).reshape(-1, shape[axis])
    if (rows != rows[0]).any():
        raise UnsupportedNodeError(
            f"the constant of shape {values.shape} varies over other axes than axis {axis % len(shape)}"
        )
    vector: FloatArray = rows[0].astype(np.float64)
    return vector


def _line(graph: GraphBuilder, tensor: str) -> tuple[str, float, float]:
    """(term, scale, shift) with tensor = scale * term + shift, where the tensor has one reader."""
    node = graph.producer(tensor)
    if node is not None and node.elementwise is not None and graph.readers(tensor) == 1:
        line = affine(node.elementwise)
        if line is not None:
            return node.input, *line
    return tensor, 1.0, 0.0


def _linear_before(graph: GraphBuilder, tensor: str) -> LinearOperator | None:
    """The linear node that computes a tensor, with numbers that scale and shift its output."""
    node = graph.producer(tensor)
    return None if node is None else _with_numbers(node, graph).as_linear()


def _with_numbers(node: FloatOperator, graph: GraphBuilder) -> FloatOperator:
    """The layer before, where a node only scales and shifts its output; else the node itself."""
    line = None if node.elementwise is None else affine(node.elementwise)
    layer = None if line is None else graph.producer(node.input)
    scaled = None if line is None or layer is None else layer.scaled(*line)
    return node if scaled is None else replace(scaled, output=node.output)
