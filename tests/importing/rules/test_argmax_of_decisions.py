"""ArgMax of scores that are affine in inputs is exact, and the lowest index wins a tie."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same, evaluate, model

CONSTANTS = "float[3,4] w = {1, -1, 0.5, 2, 0.25, -2, 1, 0, 1, -0.5, 1, 3}, float[4] b = {0.5, -1, 0.25, 0}"


@pytest.mark.parametrize("keep", [0, 1])
def test_scores_of_an_affine_part(keep: int) -> None:
    body = f"h = MatMul (x, w) s = Add (h, b) y = ArgMax <axis = 1, keepdims = {keep}> (s)"
    shape = "a,b" if keep else "a"
    imported = assert_same(model(f"g (float[1,3] x) => (int64[{shape}] y) <{CONSTANTS}> {{ {body} }}"))
    assert sum(node.has_thresholds for node in imported.graph.nodes) == 2


def test_the_lowest_index_wins_a_tie() -> None:
    imported = import_proto(
        model("g (float[1,4] x) => (int64[a] y) { y = ArgMax <axis = 1, keepdims = 0> (x) }")
    )
    for x in np.ndindex(3, 3, 3, 3):
        assert evaluate(imported.graph, {"x": np.array([x], dtype=np.float64)})["y"].item() == np.argmax(x)


def test_others_are_of_another_form() -> None:
    for body in ("r = Relu (x) y = ArgMax <axis = 1> (r)", "y = ArgMax <axis = 0> (x)"):
        imported = import_proto(model(f"g (float[1,4] x) => (int64[a,b] y) {{ {body} }}"))
        assert not any(node.has_thresholds for node in imported.graph.nodes)
