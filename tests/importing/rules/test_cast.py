"""Cast between all types, held against onnxruntime on values of both signs and beyond the types' ranges."""

from itertools import product

import numpy as np
import onnx
import onnxruntime
import pytest

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import evaluate, model, numpy_type

TYPES = {
    "float": 1,
    "float16": 10,
    "double": 11,
    "int8": 3,
    "int32": 6,
    "int64": 7,
    "uint8": 2,
    "uint64": 13,
    "bool": 9,
}
VALUES = np.array([[-300.7, -2, -1.5, -1, -0.5, 0, 0.4, 1, 1.6, 2, 127, 128.2, 255, 300]])


def converted(source: onnx.ModelProto, kind: str) -> tuple[FloatArray, FloatArray]:
    """What onnxruntime computes, and the float graph."""
    session = onnxruntime.InferenceSession(source.SerializeToString(), providers=["CPUExecutionProvider"])
    name = {"float": "float32", "double": "float64"}.get(kind, kind)
    values = VALUES if np.dtype(name).kind == "f" else np.trunc(VALUES)
    values = np.abs(values) if kind.startswith("u") else values
    with np.errstate(all="ignore"):
        feeds = values.astype(np.int64).astype(name) if np.dtype(name).kind in "iub" else values.astype(name)
    (expected,) = session.run(["y"], {"x": feeds})
    graph = import_proto(source).graph
    return expected.astype(np.float64), evaluate(graph, {"x": feeds.astype(np.float64)})["y"]


@pytest.mark.parametrize(("source", "target"), list(product(TYPES, TYPES)))
def test_cast(source: str, target: str) -> None:
    body = f"c = Cast <to = {TYPES[target]}> (x) y = Cast <to = 11> (c)"
    expected, computed = converted(model(f"g ({source}[1,14] x) => (double[1,14] y) {{ {body} }}"), source)
    if target == "uint64":
        # Integers below zero have none of these, and are refused by a table.
        defined = expected < 2**60
        assert np.isnan(computed[~defined]).all()
        expected, computed = expected[defined], computed[defined]
    np.testing.assert_allclose(computed, expected, atol=0.2 if "float16" in (source, target) else 1e-4)


def test_cast_like() -> None:
    source = model(
        "g (float[1,14] x) => (double[1,14] y) <int8 k = {0}> { c = CastLike (x, k) y = Cast <to = 11> (c) }"
    )
    expected, computed = converted(source, "float")
    np.testing.assert_array_equal(computed, expected)
    assert numpy_type("tensor(int8)") == np.int8


@pytest.mark.parametrize("divisor", [7, -3])
def test_quotients_of_integers_are_cut_off(divisor: int) -> None:
    text = f"g (int64[1,14] x) => (double[1,14] y) <int64 k = {{{divisor}}}>"
    source = model(f"{text} {{ q = Div (x, k) y = Cast <to = 11> (q) }}")
    expected, computed = converted(source, "int64")
    np.testing.assert_array_equal(computed, expected)
