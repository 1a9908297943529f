"""Constants that scale and shift a computed tensor: y = scale * x + shift.

Numbers make a pointwise function. A number for each channel goes into the weights of the layer before, if
one computes the tensor, or makes a layer of its own: a convolution of single positions, grouped by channel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.builder import GraphBuilder
from deepprove_dist.importing.convolution import convolve
from deepprove_dist.importing.functions import apply
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.operators.float_operator import FloatOperator
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
    layer = _layer_before(graph, tensor)
    axis = None if layer is None else layer.scaled_axis(len(shape))
    factors, offsets = (along(values, shape, CHANNELS if axis is None else axis) for values in (scale, shift))
    if layer is not None and axis is not None:
        # The layer without these constants stays for its other readers, if it has any.
        return graph.add_node(layer.scaled_by_channel(factors, offsets))
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
    return [node if node.elementwise is None else _layer_before(graph, node.output) or node for node in nodes]


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
    producer = graph.producer(tensor)
    if producer is not None and producer.elementwise is not None and graph.readers(tensor) == 1:
        line = affine(producer.elementwise)
        if line is not None:
            return producer.input, *line
    return tensor, 1.0, 0.0


def _layer_before(graph: GraphBuilder, tensor: str) -> FloatOperator | None:
    """The node whose output the tensor is, with numbers that scale and shift it; None where it takes none."""
    producer = graph.producer(tensor)
    if producer is None or producer.elementwise is None:
        return producer
    layer, line = graph.producer(producer.input), affine(producer.elementwise)
    scaled = None if line is None or layer is None else layer.scaled(*line)
    return None if scaled is None else replace(scaled, output=tensor)
