"""What a float node computes, with numpy: for tensors that stand between the nodes of an ONNX model."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepprove_dist.importing import pointwise
from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDense,
    FloatMaxPool,
    FloatNode,
    FloatPad,
    FloatReshape,
    FloatSum,
    FloatTranspose,
)
from deepprove_dist.operators.conv import convolve
from deepprove_dist.operators.window import Window

Values = npt.NDArray[np.float64]


def evaluate(node: FloatNode, inputs: Sequence[Values]) -> Values:
    """The output of a node, as float64, from the values of its inputs."""
    value = inputs[0]
    result: Values
    match node:
        case FloatDense():
            result = value @ node.weight.T + node.bias
        case FloatConv():
            bias = node.bias.reshape(-1, *(1 for _ in node.window.kernel))
            result = convolve(value, node.weight.astype(np.float64), node.window, node.groups) + bias
        case FloatAveragePool():
            divisors = np.meshgrid(*node.divisors, indexing="ij")
            result = _windows(node.window, value, 0.0).sum(axis=-1) / np.prod(divisors, axis=0)
        case FloatMaxPool():
            result = _windows(node.window, value, -np.inf).max(axis=-1)
        case FloatSum():
            scaled = [c * x for c, x in zip(node.coefficients, inputs, strict=True)]
            result = np.add.reduce(scaled) + node.constant
        case FloatActivation():
            result = np.asarray(pointwise.evaluate(node.function, value), dtype=np.float64)
        case FloatConcat():
            result = np.concatenate(inputs, axis=node.axis)
        case FloatPad():
            rank = len(node.pads) // 2
            result = np.pad(value, list(zip(node.pads[:rank], node.pads[rank:], strict=True)))
        case FloatTranspose():
            result = value.transpose(node.permutation)
        case FloatReshape(shape=shape):
            result = value.reshape(shape)
        case _:
            raise AssertionError(f"no evaluation of {type(node).__name__}")
    return result


def _windows(window: Window, values: Values, outside: float) -> Values:
    view = window.view(values, outside)
    return view.reshape(*view.shape[: view.ndim - window.rank], -1)
