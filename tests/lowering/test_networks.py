"""Relations of convolutional networks hold over the integers, and are as few as they can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.system.check import proven_ranges
from deepprove_dist.protocol.system.system import BATCH, System
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network, convolution, depthwise, lenet, residual, views
from tests.random_models import inputs
from tests.random_networks import networks


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=networks())
def test_relations_hold_over_the_integers(data: st.DataObject, model: IntegerModel) -> None:
    check_inference(model, data.draw(inputs(model, 2)))


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(model=networks())
def test_lowering_is_a_function_of_the_model(model: IntegerModel) -> None:
    again = IntegerModel(
        model.inputs, model.outputs, dict(reversed(list(model.constants.items()))), model.nodes
    )
    assert lower(model) == lower(again)


@pytest.mark.parametrize("count", [1, 2])
def test_flattened_values_are_stacked(count: int) -> None:
    """A concatenation along a dimension of one place, between others, of values that other axes make up."""
    network = Network((1, 2, 4, 6))
    flat = network.node("reshape", ("x",), {"shape": (1, 1, 1, 48)})
    model = network.model(network.node("concat", (flat,) * count, {"axis": 1}))
    check_inference(model, {"x": np.arange(48).reshape(1, 1, 2, 4, 6)})


@pytest.mark.parametrize("make", [lenet, residual, depthwise, views])
@pytest.mark.parametrize("end", [-128, 127])
def test_relations_hold_at_the_ends(make: Callable[[], IntegerModel], end: int) -> None:
    model = make()
    check_inference(model, {"x": np.full((1, *model.inputs[0].shape), end)})


def shape_of(system: System, name: str) -> tuple[int, ...]:
    return next(tensor.shape for tensor in system.tensors if tensor.name == name)


def test_one_relation_a_layer_with_weights() -> None:
    system = lower(lenet()).system
    assert [relation.name for relation in system.relations] == ["requantise1", "requantise4", "dense7"]
    assert [len(relation.products) for relation in system.relations] == [1, 1, 1]


def test_a_residual_block_adds_up_in_one_relation() -> None:
    system = lower(residual()).system
    assert [len(relation.products) for relation in system.relations] == [1, 1, 0]
    block = system.relations[1]
    (scaled,) = (term for term in block.affine.terms if abs(term.coefficient) == 17)
    assert system.tensors[scaled.tensor].name == "requantise1"


def test_groups_share_an_axis_or_are_products_of_their_own() -> None:
    system = lower(depthwise()).system
    first, second, third = system.relations
    assert [product.shared(4) for product in first.products] == [(1,)]
    assert [product.shared(4) for product in second.products] == [()]
    assert len(third.products) == 2
    assert shape_of(system, "conv0.w") == (4, 3, 3)
    assert shape_of(system, "conv4.w") == (4, 3, 3, 3), "a group's outputs are an interval of the channels"


def test_outputs_of_depthwise_groups_are_an_axis() -> None:
    system = lower(convolution((1, 3, 5, 5), (6, 1, 3, 3), groups=3)).system
    assert system.relations[0].affine.space == (BATCH, 3, 2, 3, 3)


def test_views_are_committed_only_as_outputs() -> None:
    system = lower(views()).system
    assert [tensor.name for tensor in system.tensors] == ["x", "concat2"]
    assert len(system.relations) == 1
    assert len(system.relations[0].affine.terms) == 3


def test_a_max_pool_commits_its_gains_alone() -> None:
    network = Network((1, 2, 6, 6))
    pooled = network.max_pool("x", (3, 2), (2, 2))
    system = lower(network.model(network.dense(network.relu(network.conv(pooled, (2, 2, 1, 1))), 2))).system
    names = [tensor.name for tensor in system.tensors if tensor.name.startswith("max_pool0")]
    assert names == ["max_pool0.d1_1", "max_pool0.d0_1", "max_pool0.d0_2"]
    assert not [relation for relation in system.relations if not relation.products]


def test_a_window_over_a_window_commits_what_is_between() -> None:
    network = Network((1, 2, 8, 8))
    system = lower(
        network.model(network.max_pool(network.max_pool("x", (2, 2), (2, 2)), (2, 2), (2, 2)))
    ).system
    (between,) = (k for k, tensor in enumerate(system.tensors) if tensor.name == "max_pool1 input")
    # A maximum and its gains, by their tables: not below -128, and at most 3 * 255 above 127 or so.
    low, high = proven_ranges(system)[between]
    assert low <= -128 < 127 <= high < 1000
    assert [relation.name for relation in system.relations] == ["max_pool1 input", "max_pool1"]


def test_an_axis_of_one_place_that_no_tensor_has() -> None:
    network = Network((1, 3, 6))
    wide = network.node("reshape", ("x",), {"shape": (1, 3, 6, 1)})
    model = network.model(network.conv(wide, (2, 3, 3, 1)))
    check_inference(model, {"x": np.arange(18).reshape(1, 1, 3, 6)})


@pytest.mark.parametrize("layer", ["conv", "dense", "max_pool"])
def test_layers_on_an_accumulator_are_refused(layer: str) -> None:
    network = Network((1, 2, 4, 4))
    x = network.conv("x", (2, 2, 3, 3), pads=(1, 1, 1, 1))
    last = {
        "conv": lambda: network.conv(x, (2, 2, 1, 1)),
        "dense": lambda: network.dense(x, 3),
        "max_pool": lambda: network.max_pool(x, (2, 2), (2, 2)),
    }[layer]()
    with pytest.raises(ModelError, match=rf"'{last}': a {layer} layer reads an accumulator"):
        lower(network.model(last))
