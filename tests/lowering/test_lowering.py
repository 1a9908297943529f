"""A lowered model's relations hold over the integers for every inference, and leave nothing undetermined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.lower import lower
from deepprove_dist.model.validate import analyse, derive
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import BATCH, Constant
from deepprove_dist.protocol.system.system import PublicTensor as LoweredTensor
from deepprove_dist.protocol.system.table import Table
from tests.lowering.integers import check_inference
from tests.model.small_model import RELU, small_model
from tests.random_models import inputs, models
from tests.records import replace


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models())
def test_relations_hold_over_the_integers(data: st.DataObject, model: IntegerModel) -> None:
    check_inference(model, data.draw(inputs(model, 2)))


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(model=models())
def test_lowering_is_a_function_of_the_model(model: IntegerModel) -> None:
    again = IntegerModel(
        model.inputs, model.outputs, dict(reversed(list(model.constants.items()))), model.nodes
    )
    assert lower(model) == lower(again)


def test_the_small_model_takes_two_relations() -> None:
    lowered = lower(small_model())
    system = lowered.system
    shapes = {tensor.name: tensor.shape for tensor in system.tensors}
    assert shapes["x"] == (BATCH, 2, 2)
    assert shapes["w1"] == (3, 2, 2), "flattening keeps the input's axes, so the weights take them"
    assert {relation.name for relation in system.relations} == {"relu", "y"}
    assert [len(relation.products) for relation in system.relations] == [1, 1]
    assert system.relations[0].affine.constants == (Constant(-8),)
    assert [table.size for table in system.tables] == [4, 130]
    assert system.inputs == (LoweredTensor("x", 0, (1, 2, 2), -8, 7, Scale.of(0.25)),)
    assert [public.shape for public in system.outputs] == [(1, 2), (1, 3)]


def test_equal_tables_are_one() -> None:
    model = small_model()
    again = Node("requantise", "again", ("acc",), "h2", model.nodes[2].attributes)
    output = ModelTensor("h2", (1, 3), 0, 15, Scale.of(2.0))
    system = lower(replace(model, nodes=(*model.nodes, again), outputs=(*model.outputs, output))).system
    assert len(system.tables) == 2
    assert len(system.lookups) == 6
    assert [tensor.name for tensor in system.tensors].count("w1") == 1


def test_an_unshifted_stored_value_needs_no_quotients() -> None:
    table = Table.from_values(-8, np.arange(16) % 5)
    node = Node("requantise", "t", ("x",), "y", {"shift": 0, "table": table, "limbs": ()})
    outputs = (ModelTensor("y", (3,), 0, 4, Scale.of(1.0)),)
    model = IntegerModel((ModelTensor("x", (3,), -8, 7, Scale.of(1.0)),), outputs, {}, (node,))
    system = lower(model).system
    assert system.relations == ()
    assert [lookup.stored for lookup in system.lookups] == [(0, 1)]


def with_nodes(*nodes: Node, output: str) -> IntegerModel:
    model = replace(small_model(), nodes=nodes)
    used = {name for node in nodes for name in node.inputs}
    constants = {name: values for name, values in model.constants.items() if name in used}
    analysis = derive(model.inputs, constants, nodes)
    public = ModelTensor(output, analysis.shapes[output], *analysis.intervals[output], Scale.of(1.0))
    return replace(model, constants=constants, outputs=(public,))


def test_a_dense_layer_on_an_accumulator_is_refused() -> None:
    flat, first, _, second = small_model().nodes
    model = with_nodes(flat, first, replace(second, inputs=("acc", "w2")), output="y")
    analyse(model)
    with pytest.raises(ModelError, match="'second': a dense layer reads an accumulator"):
        lower(model)


def test_a_reshape_may_cut_an_axis() -> None:
    wide = {"w3": np.ones((4, 4), dtype=np.int64), "w4": np.array([[1, 2], [3, -4]])}
    table = Table.from_values(-64, np.clip(np.arange(-64, 130), 0, 15))
    nodes = (
        Node("reshape", "flatten", ("x",), "flat", {"shape": (1, 4)}),
        Node("dense", "first", ("flat", "w3"), "acc", {}),
        Node("requantise", "relu", ("acc",), "h", {"shift": 0, "table": table, "limbs": ()}),
        Node("reshape", "cut", ("h",), "cut", {"shape": (2, 2)}),
        Node("dense", "second", ("cut", "w4"), "y", {}),
    )
    outputs = (ModelTensor("y", (2, 2), -60, 45, Scale.of(1.0)),)
    model = IntegerModel(small_model().inputs, outputs, wide, nodes)
    system = lower(model).system
    (product,) = system.relations[-1].products
    assert product.right.value.terms[0].axes == (0, IndexMap((1, 2), 0, 4))
    check_inference(model, {"x": np.arange(4).reshape(1, *small_model().inputs[0].shape)})


def test_the_tables_of_the_small_model_are_the_ones_it_says() -> None:
    system = lower(small_model()).system
    assert [table.function for table in system.tables] == [None, RELU]
