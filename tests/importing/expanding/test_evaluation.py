"""Nodes of constants have the values that onnxruntime computes, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from deepprove_dist.importing.expanding.evaluation import evaluate_node

MODEL = helper.make_model(helper.make_graph([], "g", [], []), opset_imports=[helper.make_opsetid("", 20)])
GATHER = helper.make_node("GatherElements", ["x", "i"], ["y"], axis=1)


@pytest.mark.parametrize(("rows", "columns"), [(1, 6), (2, 6), (2, 40)])
def test_elements_of_any_axis_are_taken(rows: int, columns: int) -> None:
    """The reference evaluator fails for the first, and takes others of the last."""
    x = np.arange(rows * columns).reshape(rows, columns)
    indices = np.array([[columns - 1, 0, 3]] * rows)
    values = evaluate_node(GATHER, {"x": x, "i": indices}, {}, MODEL)
    assert values is not None
    assert np.array_equal(values["y"], np.take_along_axis(x, indices, 1))


def test_no_index_wraps() -> None:
    known = {"x": np.zeros((2, 2), np.float32), "i": np.array([[7, 0]] * 2)}
    assert evaluate_node(GATHER, known, {}, MODEL) is None


def test_what_onnxruntime_has_no_kernel_for_the_reference_evaluator_computes() -> None:
    node = helper.make_node("BitwiseNot", ["x"], ["y"])
    values = evaluate_node(node, {"x": np.array([1], np.uint16)}, {}, MODEL)
    assert values is not None
    assert values["y"].tolist() == [65534]


def test_a_shape_is_known_of_a_tensor_that_is_not() -> None:
    node: NodeProto = helper.make_node("Shape", ["x"], ["y"])
    values = evaluate_node(node, {}, {"x": (2, 10**9)}, MODEL)
    assert values is not None
    assert values["y"].tolist() == [2, 10**9]
    assert helper.np_dtype_to_tensor_dtype(values["y"].dtype) == TensorProto.INT64
