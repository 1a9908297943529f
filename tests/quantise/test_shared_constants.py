"""Constants with the same integers are committed once."""

from __future__ import annotations

import numpy as np

from deepprove_dist.operators.node import Node
from deepprove_dist.quantise.shared_constants import share_constants


def test_equal_constants_are_one() -> None:
    weights = np.arange(6).reshape(2, 3)
    constants = {"a": weights, "b": weights.copy(), "c": weights.reshape(3, 2), "d": weights + 1}
    nodes = [Node("dense", name, ("x", name), f"{name}.y", {}) for name in constants]
    shared, changed = share_constants(constants, nodes)
    assert list(shared) == ["a", "c", "d"]
    assert [node.inputs[1] for node in changed] == ["a", "a", "c", "d"]


def test_different_constants_stay() -> None:
    constants = {"a": np.arange(3), "b": np.arange(4)}
    nodes = [Node("dense", "a", ("x", "a"), "y", {})]
    assert share_constants(constants, nodes) == (constants, nodes)
