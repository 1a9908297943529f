"""The shape of what a float node computes, from the shapes of its inputs."""

from collections.abc import Sequence

from deepprove_dist.importing.float_graph import (
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDense,
    FloatMaxPool,
    FloatNode,
    FloatPad,
    FloatReshape,
    FloatTranspose,
)
from deepprove_dist.model.integer_model import Shape


def output_shape(node: FloatNode, inputs: Sequence[Shape]) -> Shape:
    """The shape of a node's output; the inputs' shapes are those that the node is meant for."""
    shape = inputs[0]
    match node:
        case FloatDense(weight=weight):
            return (*shape[:-1], len(weight))
        case FloatConv(weight=weight, window=window):
            return (shape[0], len(weight), *window.output(shape[2:]))
        case FloatAveragePool(window=window) | FloatMaxPool(window=window):
            return (*shape[:2], *window.output(shape[2:]))
        case FloatConcat(axis=axis):
            total = sum(other[axis] for other in inputs)
            return (*shape[:axis], total, *shape[axis + 1 :])
        case FloatPad(pads=pads):
            before, after = pads[: len(shape)], pads[len(shape) :]
            return tuple(sum(sizes) for sizes in zip(before, shape, after, strict=True))
        case FloatTranspose(permutation=permutation):
            return tuple(shape[axis] for axis in permutation)
        case FloatReshape(shape=target):
            return target
    return shape
