"""The float graph: what an ONNX model means, in the few operators that have an integer counterpart.

Tensors keep their ONNX names, so that a float run of the ONNX model gives every value here. Shapes are those
of one sample with the batch axis at 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.model.integer_model import Shape

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FloatDense:
    """output[.., n] = sum_k input[.., k] * weight[n, k] + bias[n]; weight [N, K], bias [N]."""

    name: str
    input: str
    output: str
    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class FloatActivation:
    """output = f(input) elementwise; ``kind`` names f, see ``quantise.activations``."""

    name: str
    input: str
    output: str
    kind: str


@dataclass(frozen=True)
class FloatReshape:
    """The same elements in row-major order under the output's shape."""

    name: str
    input: str
    output: str


FloatNode = FloatDense | FloatActivation | FloatReshape


@dataclass(frozen=True)
class FloatGraph:
    """Nodes in topological order; ``outputs`` maps each ONNX output to the tensor that holds it."""

    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    nodes: tuple[FloatNode, ...]
    shapes: Mapping[str, Shape]
