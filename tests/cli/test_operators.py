"""`deepprove-dist operators` shows the rules' table, and what is supported of a model's nodes."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner

from deepprove_dist.cli import main
from deepprove_dist.importing.expansions import EXPANSIONS
from deepprove_dist.importing.rules import RULES


@pytest.fixture
def supported(tmp_path: Path) -> Path:
    return written("y = Relu (x)", tmp_path / "supported.onnx")


@pytest.fixture
def unsupported(tmp_path: Path) -> Path:
    return written("r = Relu (x) y = Bernoulli (r)", tmp_path / "unsupported.onnx")


def written(body: str, file: Path) -> Path:
    text = f'<ir_version: 8, opset_import: ["": 17]> g (float[1,4] x) => (float[1,4] y) {{ {body} }}'
    onnx.save(onnx.parser.parse_model(text), file)
    return file


def test_all_operators() -> None:
    result = CliRunner().invoke(main, ["operators"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in RULES)
    listed = json.loads(CliRunner().invoke(main, ["operators", "--json"]).stdout)["operators"]
    names = {expansion.name for expansion in EXPANSIONS.values()}
    assert [record["operator"] for record in listed] == sorted({*RULES, *names})
    assert all(
        record["supported"] == RULES[record["operator"]].supported
        for record in listed
        if record["operator"] in RULES
    )


def test_a_supported_model(supported: Path) -> None:
    result = CliRunner().invoke(main, ["operators", str(supported)])
    assert result.exit_code == 0
    assert "All 1 nodes are supported." in result.stdout
    fields = json.loads(CliRunner().invoke(main, ["operators", str(supported), "--json"]).stdout)
    assert fields["supported"]
    assert fields["nodes"][0]["becomes"] == ["Activation"]


def test_the_cost_of_each_node(tmp_path: Path) -> None:
    """The sum is what `estimate` says."""
    text = """<ir_version: 8, opset_import: ["": 17]> g (float[1,4] x) => (float[1,3] y) <float[4,3] v = {
        0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}> { h = MatMul (x, v) r = Relu (h) y = Exp (r) }"""
    file = tmp_path / "model.onnx"
    onnx.save(onnx.parser.parse_model(text), file)
    fields, whole = (
        json.loads(CliRunner().invoke(main, [command, str(file), "--json"]).stdout)
        for command in ("operators", "estimate")
    )
    costs = [node["cost"] or {"weights": 0, "values": 0, "lookups": 0} for node in fields["nodes"]]
    costs.append(fields["others_cost"])
    for name, stated in (("weights", "parameters"), ("values", "witness_values"), ("lookups", "lookups")):
        assert sum(cost[name] for cost in costs) == fields["total_cost"][name] == whole[stated]
    assert fields["total_cost"]["proving_ms"] == pytest.approx(whole["proving_ms"])
    assert all(cost.get("proving_ms", 0) >= 0 for cost in costs)
    assert fields["nodes"][0]["cost"]["weights"] == 12
    assert sum(cost["lookups"] for cost in costs[:-1]) == whole["lookups"]
    shown = CliRunner().invoke(main, ["operators", str(file)]).stdout
    assert "sum" in shown
    assert "lookups" in shown


def test_an_unsupported_model(unsupported: Path) -> None:
    result = CliRunner().invoke(main, ["operators", str(unsupported)])
    assert result.exit_code == 1
    assert "NOT supported: 1 of 2" in result.stdout
    assert "random values are not supported" in result.stdout
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
