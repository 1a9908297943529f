"""The float graph: what an ONNX model means, in the few operators that have an integer counterpart.

Tensors keep their ONNX names, so that a float run of the ONNX model gives every value here. Shapes are those
of one sample with the batch axis at 1; axes behind the second are called spatial.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.importing.pointwise import Function
from deepprove_dist.model.integer_model import Shape
from deepprove_dist.operators.window import Window

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FloatNode:
    """An operator that computes one tensor from others."""

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def input(self) -> str:
        """The input of a node that has one."""
        (name,) = self.inputs
        return name


@dataclass(frozen=True)
class FloatDense(FloatNode):
    """output[.., n] = sum_k input[.., k] * weight[n, k] + bias[n]; weight [N, K], bias [N]."""

    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class FloatConv(FloatNode):
    """A convolution with zeros outside the input [1, C, *spatial]; weight [M, C / groups, *kernel], bias [M].

    Without spatial axes and with a group for each channel it scales and shifts channels.
    """

    weight: FloatArray
    bias: FloatArray
    window: Window
    groups: int


@dataclass(frozen=True)
class FloatAveragePool(FloatNode):
    """The sum over a window, zeros outside, divided by the product over spatial axes of ``divisors``: for
    each axis an integer for each place of the output.
    """

    window: Window
    divisors: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class FloatSum(FloatNode):
    """output = sum_j coefficients[j] * inputs[j] + constant, all of one shape."""

    coefficients: tuple[float, ...]
    constant: float


@dataclass(frozen=True)
class FloatActivation(FloatNode):
    """output = function(input) elementwise."""

    function: Function


@dataclass(frozen=True)
class FloatMaxPool(FloatNode):
    """The largest value in a window; places outside the input do not count."""

    window: Window


@dataclass(frozen=True)
class FloatConcat(FloatNode):
    """The inputs one after the other along ``axis``, counted from 0."""

    axis: int


@dataclass(frozen=True)
class FloatPad(FloatNode):
    """Zeros before and behind the input: ``pads`` of all axes before, then of all axes behind."""

    pads: tuple[int, ...]


@dataclass(frozen=True)
class FloatTranspose(FloatNode):
    """Output axis k is input axis ``permutation[k]``."""

    permutation: tuple[int, ...]


@dataclass(frozen=True)
class FloatReshape(FloatNode):
    """The same elements in row-major order under another shape."""

    shape: Shape


FloatLinear = FloatDense | FloatConv | FloatAveragePool | FloatSum
"""Nodes that are affine in their inputs: an accumulator computes them."""

FloatView = FloatReshape | FloatTranspose
"""Nodes that have each element of their input once."""


@dataclass(frozen=True)
class FloatGraph:
    """Nodes in topological order; ``outputs`` maps each ONNX output to the tensor that holds it."""

    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    nodes: tuple[FloatNode, ...]
    shapes: Mapping[str, Shape]
