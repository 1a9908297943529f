"""Elements in new places: any places, as selections that are no longer than need be."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.importing.rewriting.arranging import arrange, numbered
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.take import FloatTake


def arranged(shape: Shape, places: IntArray, fill: float = 0.0) -> tuple[IntArray, list[int]]:
    """The numbers of a tensor's elements in their new places, and how long the lists of indices are."""
    x, y = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes)
        for name, sizes in (("x", shape), ("y", places.shape))
    )
    graph = GraphBuilder(onnx.helper.make_model(onnx.helper.make_graph([], "g", [x], [y])))
    node = OnnxNode("Arrange", "n", ("x",), ("y",), {})
    nodes = graph.rewrite(node, lambda _, builder: arrange(builder, "x", places, fill))
    values = {"x": numbered(shape).astype(np.float64)}
    for new in nodes:
        values[new.output] = new.evaluate([values[name] for name in new.inputs])
    lists = [len(new.indices) for new in nodes if isinstance(new, FloatTake)]
    return values[graph.tensor("y")].astype(np.int64), lists


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@given(data=st.data(), shape=shapes, output=shapes)
def test_any_places(data: st.DataObject, shape: Shape, output: Shape) -> None:
    count = prod(output)
    numbers = data.draw(st.lists(st.integers(-1, prod(shape) - 1), min_size=count, max_size=count))
    places = np.array(numbers).reshape(output)
    assert np.array_equal(arranged(shape, places, -1.0)[0], places)


@given(data=st.data(), shape=shapes)
def test_lists_of_each_axis_alone(data: st.DataObject, shape: Shape) -> None:
    places, lengths = numbered(shape) + 1, []
    for axis, size in enumerate(shape):
        indices = data.draw(st.lists(st.integers(-1, size - 1), min_size=1, max_size=4))
        places = np.where(
            np.expand_dims(np.array(indices), tuple(k for k in range(len(shape)) if k != axis)) < 0,
            0,
            places.take(np.maximum(indices, 0), axis),
        )
        lengths.append(len(indices))
    result, lists = arranged(shape, places - 1, -1.0)
    assert np.array_equal(result, places - 1)
    if (places > 0).any():
        assert all(lists.count(length) <= lengths.count(length) for length in lists)


@pytest.mark.parametrize(
    ("places", "lists"),
    [
        (numbered((2, 3, 4)), []),
        (numbered((2, 3, 4))[:, ::-1], [3]),
        (numbered((2, 3, 4))[:, :2, 1:], [2, 3]),
        (np.triu(numbered((2, 3, 4)) + 1) - 1, [12]),
        (np.stack([numbered((2, 3, 4))[0], numbered((2, 3, 4))[1, ::-1]]), [6]),
    ],
)
def test_axes_that_depend_on_each_other_alone_are_joined(places: IntArray, lists: list[int]) -> None:
    result, lengths = arranged((2, 3, 4), places, -1.0)
    assert np.array_equal(result, places)
    assert lengths == lists


def test_nothing_is_refused() -> None:
    with pytest.raises(UnsupportedNodeError, match="no values"):
        arranged((2,), np.zeros((0,), dtype=np.int64))
