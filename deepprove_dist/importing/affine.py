"""Constants that scale and shift a computed tensor: y = scale * x + shift.

Numbers make a pointwise function. A number for each channel goes into the weights of the layer before, if
one computes the tensor, or makes a layer of its own: a convolution of single places, grouped by channel.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.importing.fusion import apply
from deepprove_dist.importing.reasons import UnsupportedNodeError
from deepprove_dist.operators.conv import FloatConv
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.pointwise import IDENTITY, affine
from deepprove_dist.operators.requantise import FloatActivation
from deepprove_dist.operators.weighted_sum import FloatSum
from deepprove_dist.operators.window import Window

Values = npt.NDArray[Any]
Layer = FloatDense | FloatConv | FloatSum

CHANNELS = 1


def scale_and_shift(node: OnnxNode, graph: GraphBuilder, name: str, scale: Values, shift: Values) -> None:
    """Adds ``scale * name + shift`` as the node's output.

    Raises UnsupportedNodeError where the constants change the shape, or vary over other axes than a layer's
    outputs or the channels.
    """
    output = node.outputs[0]
    if scale.size == shift.size == 1:
        apply(node, graph, name, IDENTITY * scale.item() + shift.item())
    shape = graph.shape(name)
    if graph.shape(output) != shape:
        raise UnsupportedNodeError(f"it broadcasts {shape} to {graph.shape(output)}")
    if scale.size == shift.size == 1:
        return
    if len(shape) < 2:
        raise UnsupportedNodeError(f"a tensor of shape {shape} has no channels that a constant could scale")
    layer = layer_before(graph, graph.tensor(name))
    axis = len(shape) - 1 if isinstance(layer, FloatDense) else CHANNELS
    factors, offsets = (along(values, shape, axis) for values in (scale, shift))
    if isinstance(layer, FloatDense | FloatConv):
        # The layer without these constants stays for its other readers, if it has any.
        graph.add(replace(_rescaled(layer, factors, offsets), output=output))
        return
    rank = len(shape) - 2
    kernel = (1,) * rank
    window = Window(kernel, kernel, (0,) * (2 * rank), kernel)
    weight = factors.reshape(-1, 1, *kernel)
    source = graph.tensor(name)
    graph.add(FloatConv(node.name, (source,), output, weight, offsets, window, groups=len(factors)))


def layer_before(graph: GraphBuilder, tensor: str) -> Layer | None:
    """The layer whose output the tensor is, numbers that scale and shift it included; None if none is."""
    producer = graph.producer(tensor)
    if not isinstance(producer, FloatActivation):
        return producer if isinstance(producer, Layer) else None
    layer, line = graph.producer(producer.input), affine(producer.function)
    if line is None or not isinstance(layer, Layer):
        return None
    scale, shift = line
    if isinstance(layer, FloatSum):
        coefficients = tuple(scale * coefficient for coefficient in layer.coefficients)
        constant = scale * layer.constant + shift
        return replace(layer, output=tensor, coefficients=coefficients, constant=constant)
    outputs = len(layer.bias)
    return replace(_rescaled(layer, np.full(outputs, scale), np.full(outputs, shift)), output=tensor)


def along(values: Values, shape: Shape, axis: int) -> npt.NDArray[np.float64]:
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
    vector: npt.NDArray[np.float64] = rows[0].astype(np.float64)
    return vector


def _rescaled(
    layer: FloatDense | FloatConv, scale: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]
) -> FloatDense | FloatConv:
    rows = scale.reshape(-1, *(1 for _ in layer.weight.shape[1:]))
    return replace(layer, weight=layer.weight * rows, bias=layer.bias * scale + shift)
