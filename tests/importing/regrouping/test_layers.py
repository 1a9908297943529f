"""Dense layers of which selections are read become one layer each, that compute the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.take import FloatTake
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import assert_proven, network

SPLIT = "q, k, v = Split <axis = 2> (d, sizes)"
CUT = {
    "split": f"{SPLIT} s = Mul (q, k) y = Sub (s, v)",
    "reshape in front": "r = Reshape (d, rows) q, k, v = Split <axis = 1> (r, sizes) "
    "s = Mul (q, k) y = Sub (s, v)",
    "parts in front of heads": "r = Reshape (d, parts) t = Transpose <perm = [2, 0, 3, 1, 4]> (r) "
    "q = Gather <axis = 0> (t, first) k = Gather <axis = 0> (t, second) v = Gather <axis = 0> (t, third) "
    "s = Mul (q, k) y = Sub (s, v)",
    "parts of each head": "r = Reshape (d, heads) q, k, v = Split <axis = 3> (r, of_head) "
    "s = Mul (q, k) y = Sub (s, v)",
    "some are read": f"{SPLIT} y = Mul (q, v)",
}
WHOLE = {
    "the whole is read, too": f"{SPLIT} s = Mul (q, k) y = Concat <axis = 2> (s, d)",
    "one selection": f"{SPLIT} y = Tanh (k)",
    "the same twice": "a = Gather <axis = 2> (d, twice) b = Gather <axis = 2> (d, firsts) y = Mul (a, b)",
    "more than there are": "a = Gather <axis = 2> (d, most) b = Gather <axis = 2> (d, most) "
    "c = Mul (a, b) y = Tanh (c)",
    "another axis": "a = Gather <axis = 1> (d, first) b = Gather <axis = 1> (d, second) y = Mul (a, b)",
    "an axis of rows and channels": "r = Reshape (d, flat) a = Gather <axis = 1> (r, first) "
    "b = Gather <axis = 1> (r, second) y = Mul (a, b)",
}


def model(body: str) -> onnx.ModelProto:
    generator = np.random.default_rng(0)
    numbers = {
        "sizes": [4, 4, 4],
        "of_head": [2, 2, 2],
        "rows": [5, 12],
        "parts": [1, 5, 3, 2, 2],
        "heads": [1, 5, 2, 6],
        "flat": [1, 60],
        "first": 0,
        "second": 1,
        "third": 2,
        "twice": [0, 0],
        "firsts": [0, 1],
        "most": list(range(10)),
    }
    constants = {name: np.array(value) for name, value in numbers.items() if name in body}
    constants |= {"w": generator.normal(size=(6, 12)).astype(np.float32)}
    constants |= {"bias": generator.normal(size=12).astype(np.float32)}
    text = f"(float[1,5,6] x) => (float y) {{ m = MatMul (x, w) d = Add (m, bias) {body} }}"
    return network(text, constants, opset=18)


@pytest.mark.parametrize("body", CUT.values(), ids=CUT)
def test_layers_are_cut_into_those_that_are_read(body: str) -> None:
    graph = assert_same(model(body)).graph
    layers = [node for node in graph.nodes if isinstance(node, FloatDense)]
    assert len(layers) == (3 if "(s, v)" in body else 2)
    assert all(len(layer.weight) == 4 for layer in layers)
    assert not any(isinstance(node, FloatTake) for node in graph.nodes)


@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
def test_layers_stay_whole_where_more_is_read_or_nothing_is_won(body: str) -> None:
    graph = assert_same(model(body)).graph
    (layer,) = (node for node in graph.nodes if isinstance(node, FloatDense))
    assert len(layer.weight) == 12


def test_layers_that_are_cut_are_proven() -> None:
    assert_proven(model(CUT["parts of each head"]))
