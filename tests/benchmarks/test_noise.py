"""What noise does to a float model: as much as it is, or much more where the model amplifies it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.noise import noise_error
from deepprove_dist.quantise.inquiry import NOISE


def saved(folder: Path, signature: str, body: str) -> Path:
    path = folder / "model.onnx"
    text = f'<ir_version: 8, opset_import: ["": 20]> g {signature} <float s = {{300}}> {{ {body} }}'
    onnx.save(onnx.parser.parse_model(text), path)
    return path


@pytest.mark.parametrize(
    ("body", "least", "most"),
    [("y = Mul (x, s)", 0.8, 1.2), ("t = Mul (x, s) y = Sin (t)", 200.0, 400.0)],
)
def test_models_amplify_noise_by_what_they_do(tmp_path: Path, body: str, least: float, most: float) -> None:
    path = saved(tmp_path, "(float[1,50] x) => (float[1,50] y)", body)
    values = np.random.default_rng(0).normal(size=(64, 1, 50))
    error = noise_error(path, {"other": values})
    assert error is not None
    assert least < error / NOISE < most


def test_the_worst_output_counts_and_labels_do_not(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        "(float[1,50] x, float[1,50] z) => (float[1,50] y, float[1,50] w, int64[1,1] label)",
        "y = Sub (x, z) t = Mul (z, s) w = Sin (t) label = ArgMax <axis = 1> (x)",
    )
    generator = np.random.default_rng(1)
    inputs = {name: generator.normal(size=(64, 1, 50)) for name in ("x", "z")}
    error = noise_error(path, inputs)
    assert error is not None
    assert 200.0 < error / NOISE < 400.0
