"""Computed indices: where the largest value is, what is gathered by them, and one-hot vectors."""

import pytest

from tests.importing.onnx_comparison import assert_same, model

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
