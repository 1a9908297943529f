"""Reductions in every form: over any axes, kept or not, stated as attribute or input."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from onnx import TensorProto, helper

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.sum_pool import FloatAveragePool
from tests.importing.onnx_comparison import assert_same, model

SHAPE = (1, 3, 4, 5)
CHOICES = [axes for count in range(1, 5) for axes in combinations(range(4), count)]


REDUCTIONS = ("ReduceL1", "ReduceL2", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceSumSquare")


def reduction(
    axes: Sequence[int],
    keepdims: int,
    opset: int,
    shape: Sequence[int] = SHAPE,
    operator: str = "ReduceMean",
) -> str:
    head = f"g (float[{','.join(map(str, shape))}] x) => (float[] y)"
    listed = ", ".join(map(str, axes))
    if opset < 18:
        return f"{head} {{ y = {operator} <axes = [{listed}], keepdims = {keepdims}> (x) }}"
    constant = f"int64[{len(axes)}] a = {{{listed}}}"
    return f"{head} <{constant}> {{ y = {operator} <keepdims = {keepdims}> (x, a) }}"


@pytest.mark.parametrize("opset", [11, 18])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", CHOICES)
def test_any_axes(axes: tuple[int, ...], keepdims: int, opset: int) -> None:
    for signed in (axes, tuple(axis - 4 for axis in axes)):
        source = model(reduction(signed, keepdims, opset), opset)
        source.graph.output[0].type.tensor_type.ClearField("shape")
        assert_same(source)


@pytest.mark.parametrize("operator", REDUCTIONS)
@pytest.mark.parametrize("opset", [11, 18])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [(0,), (1,), (3,), (0, 2), (1, 2), (2, 3), (0, 1, 2, 3)])
def test_other_reductions(axes: tuple[int, ...], keepdims: int, opset: int, operator: str) -> None:
    source = model(reduction(axes, keepdims, opset, operator=operator), opset)
    source.graph.output[0].type.tensor_type.ClearField("shape")
    assert_same(source)


@pytest.mark.parametrize("operator", ["ReduceSum", "ReduceMean", "ReduceL2"])
@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("axes", [(3,), (1, 2), (0, 1, 2, 3)])
def test_sums_of_integers(axes: tuple[int, ...], kind: str, operator: str) -> None:
    body = reduction(axes, 0, 18, operator=operator).replace("float", kind)
    source = model(body, 18)
    source.graph.output[0].type.tensor_type.ClearField("shape")
    assert_same(source)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (1, 2)])
def test_a_reduction_of_leading_or_middle_axes_is_several_nodes(axes: tuple[int, ...]) -> None:
    """The tensors between them have shapes, and names that no ONNX tensor has."""
    source = model(reduction(axes, 0, 18, (2, 3, 4, 5)), 18)
    source.graph.output[0].type.tensor_type.ClearField("shape")
    graph = assert_same(source).graph
    assert len(graph.nodes) > 1
    assert [node.output for node in graph.nodes if not node.output.startswith("y/")] == ["y"]
    kept = tuple(size for axis, size in enumerate((2, 3, 4, 5)) if axis not in axes)
    assert graph.shapes["y"] == kept


@pytest.mark.parametrize("shape", [(1, 4), (1, 6, 7), (2, 3, 4), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_other_ranks(shape: tuple[int, ...], keepdims: int) -> None:
    for first in range(len(shape)):
        source = model(reduction(range(first, len(shape)), keepdims, 18, shape), 18)
        source.graph.output[0].type.tensor_type.ClearField("shape")
        assert_same(source)


def test_over_spatial_axes_it_is_a_pool() -> None:
    for keepdims, kinds in ((1, [FloatAveragePool]), (0, [FloatAveragePool, FloatReshape])):
        graph = import_proto(model(reduction((2, 3), keepdims, 18), 18)).graph
        assert [type(node) for node in graph.nodes] == kinds


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        ("ReduceMean <keepdims = 0> (x)", "[]"),
        ("ReduceMean (x)", "[1,1,1]"),
        ("ReduceMean <noop_with_empty_axes = 1> (x)", "[1,3,4]"),
        ("ReduceMean <noop_with_empty_axes = 1> (x, none)", "[1,3,4]"),
    ],
)
def test_no_axes(node: str, shape: str) -> None:
    head = f"g (float[1,3,4] x) => (float{shape} y) <int64[0] none = {{}}>"
    assert_same(model(f"{head} {{ h = Relu (x) y = {node.replace('(x', '(h')} }}", 18))


def test_axes_that_are_computed() -> None:
    text = "g (float[1,3,4] x) => (float[1,3,1] y) { c = Cast <to = 7> (x) y = ReduceMean (x, c) }"
    with pytest.raises(UnsupportedModelError, match=r"the list of axes \('c'\) is not a constant"):
        import_proto(model(text, 18))


def test_names_between_its_nodes_are_new() -> None:
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0),
            helper.make_node("Relu", ["x"], ["y/0"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "y/0")],
    )
    assert_same(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))
