"""Operators that arrange tensors, against onnxruntime."""

import pytest

from tests.importing.onnx_comparison import assert_same, model


@pytest.mark.parametrize(
    ("body", "rank"),
    [
        ("y = Transpose <perm = [0, 2, 3, 1]> (x)", 4),
        ("y = Transpose (x)", 4),
        ("y = Concat <axis = 1> (x, x)", 4),
        ("r = Relu (x) y = Concat <axis = -1> (x, r, x)", 4),
        ("y = Pad (x, p)", 4),
        ('y = Pad <mode = "constant"> (x, p, z)', 4),
        ("y = Pad (x, q, z, a)", 4),
        ("s = Squeeze (x, n) y = Relu (s)", 3),
        ("y = Unsqueeze (x, n)", 5),
    ],
)
def test_layouts(body: str, rank: int) -> None:
    constants = (
        "int64[8] p = {0, 1, 0, 2, 0, 0, 3, 1}, float z = {0}, int64[4] q = {1, 2, 0, 3}, "
        "int64[2] a = {-1, 2}, int64[1] n = {0}"
    )
    sizes = ",".join("abcde"[:rank])
    assert_same(model(f"g (float[1,2,3,4] x) => (float[{sizes}] y) <{constants}> {{ {body} }}", opset=18))


def test_axes_as_attributes_of_older_opsets() -> None:
    body = "s = Squeeze <axes = [0]> (x) u = Unsqueeze <axes = [0, 3]> (s) y = Relu (u)"
    assert_same(model(f"g (float[1,2,3] x) => (float[1,2,3,1] y) {{ {body} }}", opset=11))
