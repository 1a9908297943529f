"""Comparisons of inputs with constants are decisions, whatever affine part of the model comes between."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same, model

CONSTANTS = (
    "float[4,3] w = {1, -1, 0.5, 2, 0.25, -2, 1, 0, 1, -0.5, 1, 3}, float[3] t = {0.5, -1, 0.25}, "
    "float[1,2,3] many = {0.5, -1, 0.25, 0.125, 0, 2}, float one = {0.5}, float[3,1] v = {1, 1, 1}"
)
OPERATORS = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual")


def kinds(body: str) -> list[str]:
    """The float operators of a body, whose results are those of onnxruntime."""
    text = f"g (float[1,4] x) => (float[a,b] y) <{CONSTANTS}> {{ {body} }}"
    imported = assert_same(model(text))
    return [type(node).__name__ for node in imported.graph.nodes]


@pytest.mark.parametrize("operator", OPERATORS)
def test_comparisons_of_an_affine_part(operator: str) -> None:
    for operands in ("h, t", "t, h", "h, one"):
        body = f"h = MatMul (x, w) c = {operator} ({operands}) y = Cast <to = 1> (c)"
        assert kinds(body) == ["FloatDecisions", "FloatReshape"]


def test_trees_as_tensor_operations() -> None:
    body = "h = MatMul (x, w) c = Less (h, t) b = Cast <to = 1> (c) s = MatMul (b, v) "
    assert kinds(body + "d = Greater (s, one) y = Cast <to = 1> (d)").count("FloatDecisions") == 2


def test_others_are_no_decisions() -> None:
    for argument in ("r = Relu (x) h = MatMul (r, w)", "h = MatMul (x, w) t2 = Relu (h) h2 = Add (t2, h)"):
        body = f"{argument} c = Less (h, h) y = Cast <to = 1> (c)"
        assert "FloatDecisions" not in kinds(body)
    assert "FloatDecisions" not in kinds(
        "r = Relu (x) h = MatMul (r, w) c = Less (h, t) y = Cast <to = 1> (c)"
    )


def test_a_constant_may_have_more_axes() -> None:
    text = f"g (float[1,4] x) => (float[a,b,c] y) <{CONSTANTS}> {{ h = MatMul (x, w) c = Less (h, many) "
    imported = import_proto(model(text + "y = Cast <to = 1> (c) }"))
    (decisions, _) = imported.graph.nodes
    computed = decisions.evaluate([np.array([[1.0, 0.0, 0.0, 0.0]])])
    assert computed.tolist() == [[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]
