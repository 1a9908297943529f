"""Symbolic axes of inputs: the batch is found, everything else is named."""

import pytest
from onnx import TensorProto, helper

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto

Axes = list[str | int | None]


def shapes_of(**inputs: Axes) -> dict[str, tuple[int, ...]]:
    """The shapes that a model with these inputs is imported with."""
    graph = helper.make_graph(
        [helper.make_node("Relu", [name], [f"{name}_y"]) for name in inputs],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, axes) for name, axes in inputs.items()],
        [
            helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, axes)
            for name, axes in inputs.items()
        ],
    )
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    imported = import_proto(source).graph
    return {name: imported.shapes[name] for name in inputs}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"x": ["N", 3]}, {"x": (1, 3)}),
        ({"x": [-1, 3]}, {"x": (1, 3)}),
        ({"x": [None, 3]}, {"x": (1, 3)}),
        ({"x": [4, 3]}, {"x": (4, 3)}),
        ({"x": [7, "batch_size", 3]}, {"x": (7, 1, 3)}),
        ({"x": ["N", 3], "h": [2, "N", 8]}, {"x": (1, 3), "h": (2, 1, 8)}),
        ({"x": ["a", 3], "z": ["b", 4]}, {"x": (1, 3), "z": (1, 4)}),
        ({"x": []}, {"x": ()}),
    ],
)
def test_the_batch_axis_is_found(inputs: dict[str, Axes], expected: dict[str, tuple[int, ...]]) -> None:
    assert shapes_of(**inputs) == expected


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"x": [2, "N"]}, ["axis 1 is symbolic ('N')"]),
        ({"x": ["N", "M"]}, ["axis 1 is symbolic ('M')"]),
        ({"x": [1, 3, -1, -1]}, ["axis 2 is symbolic ('-1')", "axis 3 is symbolic ('-1')"]),
        ({"x": [1, None]}, ["axis 1 is symbolic ('unknown')"]),
        ({"x": ["time", "batch", 3]}, ["axis 0 is symbolic ('time')"]),
        ({"x": ["N", "T"], "m": ["T", "T"]}, ["axis 1 is symbolic ('T')", "axis 1 is symbolic ('T')"]),
        ({"x": [0, 4]}, ["axis 0 has size 0"]),
        ({"x": [1, 0], "z": [1, "L"]}, ["axis 1 has size 0", "axis 1 is symbolic ('L')"]),
    ],
)
def test_other_axes_are_named_all_at_once(inputs: dict[str, Axes], named: list[str]) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        shapes_of(**inputs)
    assert [problem.reason for problem in caught.value.problems] == named
    assert "symbolic" not in str(caught.value) or "with fixed shapes" in str(caught.value)
