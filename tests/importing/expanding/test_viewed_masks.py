"""Masks of padding as PyTorch's attention writes them: infinite numbers that a bit decides, then views."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

import deepprove_dist as dp
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import evaluate, model

Array = npt.NDArray[Any]

MASK = """
  zero = Equal (kept, none)
  chosen = Where (zero, infinite, nothing)
  viewed = Reshape (chosen, column)
  repeated = Expand (viewed, heads)
  added = Reshape (repeated, heads)
  masked = Add (x, added)
  y = Softmax <axis=-1> (masked)
"""
CONSTANTS = (
    "int64[1] none = {0}, float[1] nothing = {0.0}, "
    "int64[4] column = {1, 1, 1, 5}, int64[4] heads = {1, 2, 1, 5}"
)


def padded(body: str = MASK, low: float = -np.inf) -> onnx.ModelProto:
    source = model(f"g (float[1,2,3,5] x, int64[1,5] kept) => (float[1,2,3,5] y) <{CONSTANTS}> {{ {body} }}")
    number = onnx.numpy_helper.from_array(np.array(low, dtype=np.float32), "infinite")
    source.graph.initializer.append(number)
    return source


def samples(count: int) -> dict[str, Array]:
    random = np.random.default_rng(0)
    lengths = random.integers(1, 6, size=(count, 1, 1))
    return {
        "x": random.normal(size=(count, 1, 2, 3, 5)),
        "kept": (np.arange(5) < lengths).astype(np.int64),
    }


def test_what_padding_masks_is_left_out() -> None:
    source = padded()
    graph = import_proto(source).graph
    session = onnxruntime.InferenceSession(source.SerializeToString())
    for x, kept in zip(*samples(5).values(), strict=True):
        (expected,) = session.run(None, {"x": x.astype(np.float32), "kept": kept})
        result = evaluate(graph, {"x": x, "kept": kept.astype(np.float64)})["y"]
        np.testing.assert_allclose(result, expected, atol=1e-6)


def test_padding_is_proven() -> None:
    inputs = samples(64)
    keys = dp.setup(padded(), inputs, transparent=True, threads=1)
    one = {name: values[3] for name, values in inputs.items()}
    proof = keys.prove(one)
    output = keys.verifying.verify(dp.Proof(proof.content)).output["y"]
    assert (output.reshape(6, 5)[:, one["kept"].reshape(-1) == 0] == 0).all()
    assert not keys.report.warnings


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (MASK.replace("masked = Add (x, added)", "wide = Add (x, added) masked = Abs (wide)"), "infinite"),
        (MASK.replace("viewed = Reshape (chosen", "c = Neg (chosen) viewed = Reshape (c"), "infinite"),
    ],
)
def test_infinite_numbers_that_scores_would_have_are_refused(body: str, reason: str) -> None:
    with pytest.raises(dp.UnsupportedModelError, match=reason):
        import_proto(padded(body))
