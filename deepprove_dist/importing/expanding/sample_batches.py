"""Whether samples may be run in batches: where weights are many, reading them is what a float run takes.

An imported model has one sample. It takes several where every tensor has a leading axis of size 1, which no
node mixes or names. Only nodes known to be so count: dense layers, and functions of single elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.operators.float_graph import FloatGraph

BATCH = 16
FEWEST_WEIGHTS = 2**24
"""Of a model that is run in batches: they are read from memory for each run."""
VALUES = 2**22
"""That the tensors of a batch may have."""

ALIKE = 1e-4
"""How far results of one sample may be apart, over the largest: beyond what orders of sums make."""

OF_EACH_ELEMENT = frozenset(
    (
        *("Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "Tanh", "Gelu", "Softplus", "Softsign"),
        *("HardSigmoid", "HardSwish", "Mish", "ThresholdedRelu", "Abs", "Neg", "Sqrt", "Exp", "Erf"),
        "Identity",
    )
)
OF_TWO_TENSORS = frozenset(("Add", "Sub", "Mul", "Div"))


def batch_of(model: onnx.ModelProto, graph: FloatGraph) -> int:
    """How many samples of an imported model one run takes: 1 where it might mix them, or gains nothing."""
    weights = sum(prod(tensor.dims) for tensor in model.graph.initializer)
    most = min(BATCH, VALUES // max(1, sum(map(prod, graph.shapes.values()))))
    if weights < FEWEST_WEIGHTS or most < 2 or any(shape[:1] != (1,) for shape in graph.shapes.values()):
        return 1
    constants = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    return most if all(_keeps_samples_apart(node, constants) for node in model.graph.node) else 1


def open_batch(model: onnx.ModelProto) -> None:
    """Leaves the number of samples open, in a model that runs in batches."""
    del model.graph.value_info[:]
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims:
            dims[0].dim_param = "samples"


def alike(results: Mapping[str, npt.NDArray[Any]], others: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Whether two runs of a sample gave the same, but for the order in which floats were added up."""
    for name, expected in others.items():
        if results[name].shape != expected.shape:
            return False
        size = float(np.abs(expected).max(initial=0.0))
        if not np.allclose(results[name], expected, rtol=0.0, atol=ALIKE * size, equal_nan=True):
            return False
    return True


def _keeps_samples_apart(node: onnx.NodeProto, constants: dict[str, tuple[int, ...]]) -> bool:
    """Whether a node computes each sample's results from that sample alone, along the first axis of all."""
    shapes = [constants.get(name) for name in node.input]
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.domain not in STANDARD or len(node.output) != 1:
        return False
    computed = [shape for shape in shapes if shape is None]
    if node.op_type in OF_EACH_ELEMENT:
        return len(shapes) == len(computed) == 1
    if node.op_type in OF_TWO_TENSORS:
        return bool(computed) and all(shape is None or _is_of_one_sample(shape) for shape in shapes)
    if node.op_type == "Flatten":
        return bool(attributes.get("axis", 1) == 1)
    weighted = len(computed) == 1 and shapes[0] is None and len(shapes) > 1 and len(shapes[1] or ()) == 2
    if node.op_type == "Gemm":
        return weighted and not attributes.get("transA") and all(map(_is_of_one_sample, shapes[2:]))
    return weighted and node.op_type == "MatMul"


def _is_of_one_sample(shape: tuple[int, ...] | None) -> bool:
    """Whether a constant of this shape is the same for all samples of tensors of two axes or more."""
    return shape is not None and (len(shape) < 2 or shape[0] == 1)
