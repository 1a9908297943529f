"""Small files of models whose lowered form would be huge are refused by a typed error, in little memory."""

from __future__ import annotations

from itertools import pairwise

import pytest

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.public_weights import read_public_weights
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.system.scale import Scale
from tests.attacks.effort import bounded_effort


def public(name: str, shape: Shape, low: int, high: int) -> ModelTensor:
    return ModelTensor(name, shape, low, high, Scale.of(1.0))


def test_sums_that_double_node_by_node_are_refused() -> None:
    """x - x, and so on: 2^100 terms, which no key could hold."""
    names = ["x", *(f"t{index}" for index in range(99)), "y"]
    attributes: dict[str, Attribute] = {"multipliers": (1, -1), "constant": 0}
    pairs = enumerate(pairwise(names))
    nodes = [Node("weighted_sum", f"sum{k}", (name, name), output, attributes) for k, (name, output) in pairs]
    tensors = (public("x", (1, 4), 0, 0),), (public("y", (1, 4), 0, 0),)
    data = model_file.dump(IntegerModel(*tensors, {}, tuple(nodes)))
    with bounded_effort(), pytest.raises(ModelError, match="sum16': its inputs add up too much for a key"):
        read_public_weights(data)


@pytest.mark.parametrize("bound", [1 << 22, 1 << 29])
def test_a_maximum_of_too_wide_a_range_is_refused_before_its_table_is_made(bound: int) -> None:
    attributes: dict[str, Attribute] = {
        "kernel": (2,),
        "strides": (1,),
        "pads": (0, 0),
        "dilations": (1,),
        "minimum": -bound,
    }
    node = Node("max_pool", "pool", ("x",), "y", attributes)
    tensors = (public("x", (1, 1, 4), -bound, bound),), (public("y", (1, 1, 3), -bound, bound),)
    data = model_file.dump(IntegerModel(*tensors, {}, (node,)))
    with bounded_effort(held=64 << 20), pytest.raises(ModelError, match="needs too large a table"):
        read_public_weights(data)


def test_a_maximum_of_a_long_window_is_refused_before_its_gains_fill_memory() -> None:
    """A gain has a term for each gain before it: the terms of all are quadratic in the window."""
    size = 1 << 12
    window: dict[str, Attribute] = {"kernel": (size,), "strides": (1,), "pads": (0, 0), "dilations": (1,)}
    node = Node("max_pool", "pool", ("x",), "y", {**window, "minimum": 0})
    tensors = (public("x", (1, 1, size), 0, 3),), (public("y", (1, 1, 1), 0, 3),)
    data = model_file.dump(IntegerModel(*tensors, {}, (node,)))
    with bounded_effort(), pytest.raises(ModelError, match="more terms than a key can hold"):
        read_public_weights(data)
