"""A small integer model with every operator, for tests of the model's parts."""

import numpy as np

from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table

RELU = Table.from_values(-64, np.clip(np.arange(-64, 66), 0, 15))


def small_model() -> IntegerModel:
    """y = W2 h with h = relu((W1 x + b1) / 16), for x in [-8, 7] of shape (1, 2, 2); y and h are outputs."""
    constants = {
        "w1": np.array([[100, -3, 2, 1], [0, 5, -20, 40], [1, 1, 1, 1]], dtype=np.int64),
        "b1": np.array([7, 0, -9], dtype=np.int64),
        "w2": np.array([[300, -2, 5], [1, 2, 3]], dtype=np.int64),
    }
    nodes = (
        Node("reshape", "flatten", ("x",), "flat", {"shape": (1, 4)}),
        Node("dense", "first", ("flat", "w1", "b1"), "acc", {}),
        Node("requantise", "relu", ("acc",), "h", {"shift": 4, "table": RELU, "limbs": (2, 2)}),
        Node("dense", "second", ("h", "w2"), "y", {}),
    )
    outputs = (
        ModelTensor("y", (1, 2), -30, 4575, Scale.of(0.5)),
        ModelTensor("h", (1, 3), 0, 15, Scale.of(2.0)),
    )
    return IntegerModel((ModelTensor("x", (1, 2, 2), -8, 7, Scale.of(0.25)),), outputs, constants, nodes)
