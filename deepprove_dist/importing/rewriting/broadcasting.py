"""Broadcasting as numpy and ONNX have it: axes of size 1, and missing leading ones, are repeated."""

from collections.abc import Iterable, Sequence

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import ConsequenceError
from deepprove_dist.operators.broadcast import FloatBroadcast


def broadcast_shape(shapes: Iterable[Shape]) -> Shape:
    """The shape that others broadcast to. Raises ConsequenceError where there is none."""
    shapes = list(shapes)
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ConsequenceError(f"its operands of the shapes {shapes} do not broadcast") from None


def broadcast_to(graph: GraphBuilder, tensor: str, shape: Shape) -> str:
    """The tensor repeated under a shape that it broadcasts to."""
    return tensor if graph.shape(tensor) == shape else graph.add(FloatBroadcast, tensor, shape)


def broadcast_all(graph: GraphBuilder, tensors: Sequence[str]) -> list[str]:
    """The tensors under the one shape that they broadcast to."""
    shape = broadcast_shape(map(graph.shape, tensors))
    return [broadcast_to(graph, tensor, shape) for tensor in tensors]


def compact(values: FloatArray) -> FloatArray:
    """An array with size 1 along the axes that it does not vary along: it broadcasts to the same values."""
    for axis in range(values.ndim):
        first = values.take([0], axis=axis)
        if (values == first).all():
            values = first
    return values
