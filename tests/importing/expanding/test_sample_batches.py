"""Float runs in batches: the same values as one by one, and only where no node mixes samples."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.importing.expanding import sample_batches
from deepprove_dist.importing.expanding.sample_batches import batch_of
from deepprove_dist.importing.load import import_proto
from deepprove_dist.quantise import float_model
from tests.importing.onnx_comparison import model
from tests.quantise.test_float_model import CountedRuns, samples_of

CONSTANTS = (
    "float[4,3] w = {1, -2, 3, 4, 5, -6, 7, 8, 9, 1, 2, 3}, float[3] b = {0.5, -1, 2}, "
    "float[1,3] row = {1, 2, 3}, float[3,3] square = {1, 2, 3, 4, 5, -6, 7, 8, 9}, int64[2] flat = {1, 3}"
)


def source(body: str, size: str = "1, 4") -> str:
    return f"g (float[{size}] x) => (y) <{CONSTANTS}> {{ {body} }}"


@pytest.fixture(autouse=True)
def few_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_batches, "FEWEST_WEIGHTS", 0)


@pytest.mark.parametrize(
    "body",
    [
        "h = Gemm (x, w, b) r = Relu (h) y = Gemm <transB = 1> (r, square, row)",
        "h = MatMul (x, w) s = Add (h, b) t = Tanh (s) y = Mul (t, h)",
        "f = Flatten (x) h = MatMul (f, w) y = Div (h, row)",
    ],
)
@pytest.mark.parametrize("count", [1, 16, 37])
def test_batches_have_the_values_of_single_samples(
    monkeypatch: pytest.MonkeyPatch, body: str, count: int
) -> None:
    imported = import_proto(model(source(body)))
    assert batch_of(imported.onnx, imported.graph) == 16
    samples, together = samples_of(imported, count), CountedRuns(imported)
    of_batches = list(together.run(samples))
    # One more, of a sample alone, checks the first batch.
    assert together.count == -(-count // 16) + (count > 1)
    monkeypatch.setattr(float_model, "batch_of", lambda *_: 1)
    for values, expected in zip(of_batches, CountedRuns(imported).run(samples), strict=True):
        assert values.keys() == expected.keys()
        for name, array in values.items():
            assert array.shape == expected[name].shape
            np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("h = MatMul (x, w) y = Softmax <axis = 0> (h)", "1, 4"),
        ("h = MatMul (x, w) y = Reshape (h, flat)", "1, 4"),
        ("h = MatMul (x, w) y = Transpose (h)", "1, 4"),
        ("h = MatMul (square, w2) y = Add (h, x)", "1, 3"),
        ("y = MatMul (x, w)", "2, 4"),
        ("h = MatMul (x, w) t = Transpose (h) y = MatMul (h, t)", "1, 4"),
        ("y = Flatten <axis = 0> (x)", "1, 4"),
        ("y = Add (x, square)", "1, 3"),
    ],
)
def test_what_might_mix_samples_is_run_alone(body: str, size: str) -> None:
    text = source(body, size).replace("w2", "square")
    imported = import_proto(model(text))
    assert batch_of(imported.onnx, imported.graph) == 1


def test_few_weights_and_many_values_are_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = import_proto(model(source("y = MatMul (x, w)")))
    monkeypatch.setattr(sample_batches, "VALUES", 20)
    assert batch_of(imported.onnx, imported.graph) == 20 // 7
    monkeypatch.setattr(sample_batches, "VALUES", 7)
    assert batch_of(imported.onnx, imported.graph) == 1
    monkeypatch.undo()
    assert batch_of(imported.onnx, imported.graph) == 1


def test_a_batch_that_mixes_its_samples_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a rule wrong: the first batch is compared with a sample alone, and all are run alone then."""
    imported = import_proto(model(source("h = MatMul (x, w) y = Softmax <axis = 0> (h)")))
    samples = samples_of(imported, 9)
    expected = list(CountedRuns(imported).run(samples))
    monkeypatch.setattr(float_model, "batch_of", lambda *_: 4)
    for values, alone in zip(CountedRuns(imported).run(samples), expected, strict=True):
        assert np.array_equal(values["y"], alone["y"])
