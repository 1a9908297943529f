"""`deepprove-dist operators` shows the rules' table, and what is supported of a model's nodes."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner

from deepprove_dist.cli import main
from deepprove_dist.importing.rules import RULES


@pytest.fixture
def supported(tmp_path: Path) -> Path:
    return written("y = Relu (x)", tmp_path / "supported.onnx")


@pytest.fixture
def unsupported(tmp_path: Path) -> Path:
    return written("r = Relu (x) y = MeanVarianceNormalization (r)", tmp_path / "unsupported.onnx")


def written(body: str, file: Path) -> Path:
    text = f'<ir_version: 8, opset_import: ["": 17]> g (float[1,4] x) => (float[1,4] y) {{ {body} }}'
    onnx.save(onnx.parser.parse_model(text), file)
    return file


def test_all_operators() -> None:
    result = CliRunner().invoke(main, ["operators"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in RULES)
    listed = json.loads(CliRunner().invoke(main, ["operators", "--json"]).stdout)["operators"]
    assert [record["operator"] for record in listed] == sorted(RULES)
    assert all(record["supported"] == RULES[record["operator"]].supported for record in listed)


def test_a_supported_model(supported: Path) -> None:
    result = CliRunner().invoke(main, ["operators", str(supported)])
    assert result.exit_code == 0
    assert "All 1 nodes are supported." in result.stdout
    fields = json.loads(CliRunner().invoke(main, ["operators", str(supported), "--json"]).stdout)
    assert fields["supported"]
    assert fields["nodes"][0]["becomes"] == ["Activation"]


def test_an_unsupported_model(unsupported: Path) -> None:
    result = CliRunner().invoke(main, ["operators", str(unsupported)])
    assert result.exit_code == 1
    assert "NOT supported: 1 of 2" in result.stdout
    assert "this operator is not supported" in result.stdout
    result = CliRunner().invoke(main, ["operators", str(unsupported), "--json"])
    assert result.exit_code == 1
    assert [node["supported"] for node in json.loads(result.stdout)["nodes"]] == [True, False]


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no model")
    result = CliRunner().invoke(main, ["operators", str(file)])
    assert result.exit_code == 2
    assert "not an ONNX model" in result.stderr
    assert "Traceback" not in result.output
