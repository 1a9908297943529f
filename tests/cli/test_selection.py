"""Keys for a part of a model: --output, --shape, constant outputs, and inputs that nothing reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from deepprove_dist.cli import main

BODY = "h = Gemm <transB = 1> (x, v) r = Relu (h) k = Identity (c) y = com.example.Strange (r)"
CONSTANTS = "float[3,4] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, float[2] c = {1, 2}"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    text = f"""<ir_version: 8, opset_import: ["": 17, "com.example": 1]>
        g (float[N,L] x, float[N,2] unread) => (float[N,3] y, float[2] k) <{CONSTANTS}> {{ {BODY} }}"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "model.onnx")
    random = np.random.default_rng(0)
    rows = [random.normal(size=(64, width)) for width in (4, 2)]
    np.savez(tmp_path / "samples.npz", x=rows[0], unread=rows[1])
    return tmp_path / "model.onnx"


def test_keys_up_to_a_tensor(model: Path) -> None:
    keys, samples, proof = (model.parent / name for name in ("keys", "samples.npz", "proof"))
    choice = ("--output", "r", "--output", "k", "--shape", "x=1,4")
    flags = ("--calibration", samples, "--transparent", "-o", keys, "--json")
    result = run("setup", model, *choice, *flags)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["left_out"] == ["y", "k"]
    assert [record["output"] for record in report["outputs"]][:1] == ["r"]
    assert run("prove", keys, "--input", samples, "-o", proof).exit_code == 0
    verified = json.loads(run("verify", keys / "verifying.key", proof, "--json").stdout)
    weights = np.array([[0.5, -1, 2, 0.25], [1, 1.5, -0.5, 3], [-2, 0.75, 1, -1]])
    expected = np.maximum(np.load(samples)["x"][:1] @ weights.T, 0)
    np.testing.assert_allclose(np.reshape(verified["output"], (1, 3)), expected, atol=0.1)
    assert run("audit", keys, model, *choice, "--samples", samples).exit_code == 0
    assert run("estimate", model, *choice, "--transparent").exit_code == 0
    assert run("operators", model, *choice).exit_code == 0


def test_what_is_in_the_way_is_said_with_flags(model: Path) -> None:
    result = run("estimate", model)
    assert result.exit_code == 2
    assert "with --shape x=1,L, or export with fixed shapes" in result.stderr
    assert "--output TENSOR" in result.stderr


@pytest.mark.parametrize("shape", ["x", "x=1,a", "=1", "x=1,,2", "x=-1"])
def test_shapes_that_are_none(model: Path, shape: str) -> None:
    result = run("estimate", model, "--shape", shape)
    assert result.exit_code == 2
    assert "is not an input's name" in result.stderr
