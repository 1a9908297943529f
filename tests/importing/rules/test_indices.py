"""Computed indices: where the largest value is, what is gathered by them, and one-hot vectors."""

import numpy as np
import pytest

from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.rules import RULES
from tests.importing.onnx_comparison import assert_same, evaluate, model

CASES = {
    "ArgMax": "y = ArgMax <axis = 1> (x)",
    "ArgMax without the axis": "y = ArgMax <axis = 1, keepdims = 0> (x)",
    "ArgMax of the first axis": "y = ArgMax <axis = 0> (x)",
    "ArgMin": "y = ArgMin <axis = -1> (x)",
    "the last of equal ones": "r = Round (x) y = ArgMax <axis = 1, select_last_index = 1> (r)",
    "the first of equal ones": "r = Round (x) y = ArgMax <axis = 1> (r)",
    "the first smallest": "r = Round (x) y = ArgMin <axis = 1> (r)",
}


@pytest.mark.parametrize("size", [1, 2, 5, 7, 8])
@pytest.mark.parametrize("body", CASES.values(), ids=CASES)
def test_indices_of_extremes(body: str, size: int) -> None:
    axes = "p" if "keepdims = 0" in body else "p,q"
    assert_same(model(f"g (float[3,{size}] x) => (int64[{axes}] y) {{ {body} }}"))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_largest_is_one(axis: int) -> None:
    body = f"r = Round (x) y = Hardmax <axis = {axis}> (r)"
    assert_same(model(f"g (float[3,5] x) => (float[3,5] y) {{ {body} }}"))


@pytest.mark.parametrize("attributes", ["", "<axis = 2>", "<axis = -2>", "<axis = 0>"])
def test_before_opset_13_the_largest_is_one_of_all_axes_from_a_first_one_on(attributes: str) -> None:
    body = f"y = Hardmax {attributes} (x)"
    assert_same(model(f"g (float[2,3,4] x) => (float[2,3,4] y) {{ {body} }}", opset=11))


@pytest.mark.parametrize("axis", [0, -1])
def test_indices_of_floats_are_cut_off(axis: int) -> None:
    constants = "<float depth = {4}, float[2] values = {0.25, 2}>"
    body = f"i = Mul (x, x) y = OneHot <axis = {axis}> (i, depth, values)"
    assert_same(model(f"g (float[3,2] x) => (float[p,q,r] y) {constants} {{ {body} }}"))


def test_computed_indices_outside_the_axis_select_zeros() -> None:
    """As the list of operators says: the standard has no value for them."""
    rows = "float[3,2] c = {1, 2, 3, 4, 5, 6}"
    body = "i = Add (x, z) y = Gather (c, i)"
    source = model(f"g (int64[4] x, int64[4] z) => (float[4,2] y) <{rows}> {{ {body} }}")
    x, z = np.array([-2.0, 1.0, 2.0, 2.0]), np.array([-1.0, 1.0, 1.0, 3.0])
    outputs = evaluate(import_proto(source).graph, {"x": x, "z": z})
    assert outputs["y"].tolist() == [[1, 2], [5, 6], [0, 0], [0, 0]]
    assert "those outside the axis select zeros" in RULES["Gather"].description
