"""Layers that select rows by a public input are known from the nodes before them, and no other layers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.lowering.public_rows import PublicIndices, PublicRows
from deepprove_dist.model.hidden_names import NOTHING_HIDDEN, HiddenNames
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.model.rows_by_input import rows_by_input, rows_for
from deepprove_dist.model.validate import analyse
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.protocol.system.table import Table
from tests.lowering.networks import Network
from tests.operators.proving import assert_proven_in_both_modes

SIZE, WIDTH = 5, 3
BOTH_ENDS = {0: 1, -SIZE: 1}


def tokens(
    shape: tuple[int, ...] = (1, 4),
    interval: tuple[int, int] = (-6, 6),
    *,
    hot: dict[int, int] = BOTH_ENDS,
    ramp: tuple[int, ...] = (0, -1, -2, -3, -4),
    multipliers: tuple[int, int] = (1, 1),
    offset: int = 0,
    shift: int = 0,
    operator: str = "dense",
    column: tuple[int, ...] | None = None,
    also: str = "",
) -> IntegerModel:
    """Rows at an input's indices, rescaled; ``also`` names what is an output too."""
    network = Network(shape, interval=interval)
    positions = column or shape
    names = {"column": network.node("reshape", ("x",), {"shape": (*positions, 1)})}
    names["repeated"] = network.node("broadcast", (names["column"],), {"shape": (*positions, SIZE)})
    constant = network.known(np.array(ramp))
    attributes = {"multipliers": multipliers, "constant": offset}
    distances = network.node("weighted_sum", (names["repeated"], constant), attributes)
    low, high = network.interval(distances)
    low, high = low + (1 << shift) // 2 >> shift, high + (1 << shift) // 2 >> shift
    values = [hot.get(distance, 0) for distance in range(low, high + 1)]
    choice = {"shift": shift, "table": Table.from_values(low, values), "limbs": (shift,) if shift else ()}
    names["hot"] = network.node("requantise", (distances,), choice)
    rows = network.linear(operator, names["hot"], (WIDTH, SIZE), {})
    return network.model(network.relu(rows), *([names[also]] if also else []))


def selected(model: IntegerModel, hidden: HiddenNames = NOTHING_HIDDEN) -> PublicRows:
    return rows_by_input(model, analyse(model).shapes, hidden)


@pytest.mark.parametrize("operator", ["dense", "selected_rows"])
@pytest.mark.parametrize(
    ("shape", "column"), [((1, 4), None), ((4,), (2, 2)), ((2, 1, 3), (6,)), ((1,), None)]
)
def test_indices_of_either_end_are_proven_without_vectors(
    operator: str, shape: tuple[int, ...], column: tuple[int, ...] | None
) -> None:
    model = tokens(shape, operator=operator, column=column)
    rows = selected(model)
    (indices,) = rows.indices.values()
    assert indices == PublicIndices("x", column or shape)
    assert len(rows.unread) == 4
    samples = np.random.default_rng(0).integers(-6, 7, (2, *shape))
    assert_proven_in_both_modes(model, {"x": samples})
    # The layer's output has a value for each index and column; vectors would have SIZE for each index.
    system = lower(model).system
    assert not any("hot" in tensor.name for tensor in system.tensors)
    hidden = lower(model, hidden=HiddenNames(inputs=("x",))).system
    saved = hidden.for_batch(1).values(Matrix.WITNESS) - system.for_batch(1).values(Matrix.WITNESS)
    assert saved > SIZE * samples[0].size


@given(st.data())
def test_an_inference_without_vectors_is_the_same(data: st.DataObject) -> None:
    model = tokens(
        interval=data.draw(st.sampled_from([(-6, 6), (0, 4), (-5, 4), (0, 9), (-3, -1)])),
    )
    (tensor,) = model.inputs
    index = st.integers(tensor.lo, tensor.hi)
    x = np.array(data.draw(st.lists(index, min_size=8, max_size=8))).reshape(2, 1, 4)
    rows, whole = selected(model), IntegerRunner(model).run({"x": x})
    runner = IntegerRunner(model, rows=rows)
    assert rows.indices
    trace = runner.run({"x": x})
    assert set(trace.values) == set(whole.values) - rows.unread
    for name, values in trace.values.items():
        assert np.array_equal(values, whole.values[name])
        assert values.dtype == whole.values[name].dtype
    outputs = runner.outputs({"x": x})
    assert all(np.array_equal(outputs[name], values) for name, values in whole.outputs.items())


def test_hidden_indices_keep_their_vectors() -> None:
    model = tokens()
    hidden = HiddenNames(inputs=("x",))
    assert selected(model, hidden) == PublicRows()
    assert lower(model, hidden=hidden).rows == PublicRows()
    assert lower(model).rows.indices


@pytest.mark.parametrize("also", ["hot", "repeated", "column"])
def test_what_others_read_is_computed(also: str) -> None:
    model = tokens(also=also)
    rows = selected(model)
    assert len(rows.indices) == 1
    assert len(rows.unread) == {"hot": 0, "repeated": 2, "column": 3}[also]
    x = np.array([[[0, 4, -1, 5]], [[3, -5, -6, 6]]])
    assert_proven_in_both_modes(model, {"x": x})


@pytest.mark.parametrize(
    "change",
    [
        {"hot": {0: 1, -4: 1}},
        {"hot": {0: 1, -SIZE: 1, 3: 1}},
        {"hot": {0: 2, -SIZE: 2}},
        {"hot": {-SIZE: 1}},
        {"hot": {0: 1}},
        {"ramp": (0, -2, -4, -6, -8)},
        {"ramp": (0, 1, 2, 3, 4)},
        {"ramp": (0, -1, -2, -4, -3)},
        {"multipliers": (2, 1)},
        {"multipliers": (-1, 1)},
        {"multipliers": (1, 2)},
        {"offset": 1},
        {"shift": 1},
    ],
)
def test_other_vectors_are_computed(change: dict[str, Any]) -> None:
    assert selected(tokens(**change)) == PublicRows()


def test_indices_that_count_from_one_end_need_no_other() -> None:
    assert selected(tokens(interval=(0, 6), hot={0: 1})).indices
    assert not selected(tokens(interval=(-1, 6), hot={0: 1})).indices


def test_views_of_rows_are_proven() -> None:
    """Columns and positions of selected rows are moved, selected and repeated, also of an accumulator."""
    network = Network((1, 4), interval=(-6, 6))
    column = network.node("reshape", ("x",), {"shape": (1, 4, 1)})
    repeated = network.node("broadcast", (column,), {"shape": (1, 4, SIZE)})
    ramp = network.known(-np.arange(SIZE))
    distances = network.node("weighted_sum", (repeated, ramp), {"multipliers": (1, 1), "constant": 0})
    values = [BOTH_ENDS.get(distance, 0) for distance in range(-10, 7)]
    choice = {"shift": 0, "table": Table.from_values(-10, values), "limbs": ()}
    hot = network.node("requantise", (distances,), choice)
    rows = network.linear("selected_rows", hot, (6, SIZE), {})
    heads = network.node("reshape", (rows,), {"shape": (1, 4, 2, 3)})
    outputs = [
        rows,
        network.node("transpose", (heads,), {"permutation": (0, 2, 3, 1)}),
        network.node("take", (rows,), {"axis": 2, "indices": (5, -1, 0, 5), "fill": 3}),
        network.node("take", (rows,), {"axis": 1, "indices": (3, 3, -1), "fill": 0}),
        network.node("weighted_sum", (rows, rows), {"multipliers": (2, -3), "constant": 1}),
        network.node("reshape", (rows,), {"shape": (24,)}),
        network.relu(network.dense(network.relu(rows), 3)),
    ]
    model = network.model(*outputs)
    assert len(selected(model).indices) == 1
    samples = np.random.default_rng(1).integers(-6, 7, (2, 1, 4))
    assert_proven_in_both_modes(model, {"x": samples})


def test_what_is_kept_is_computed() -> None:
    model = tokens()
    nodes = {node.operator: node.output for node in model.nodes}
    assert rows_for(model, [model.outputs[0].name, nodes["dense"]]) == selected(model)
    assert rows_for(model, [model.outputs[0].name, nodes["broadcast"]]) == PublicRows()
