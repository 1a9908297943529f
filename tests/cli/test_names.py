"""Names from models are printed without what would command a terminal, in reports and in errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepprove_dist.errors import ModelError
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.system.names import printable
from tests.cli.test_commands import run, run_json
from tests.model.small_model import small_model

ESCAPE = "\x1b[2J\x1b[Hvalid (1.91 ms)\n"
SHOWN = "?[2J?[Hvalid (1.91 ms)?"


def named(name: str) -> IntegerModel:
    """The small model with a name for its first node and what that computes."""
    model = small_model()
    first = replace(model.nodes[0], name=name, output=name)
    second = replace(model.nodes[1], inputs=(name, *model.nodes[1].inputs[1:]))
    return replace(model, nodes=(first, second, *model.nodes[2:]))


def save(folder: Path, nodes: list[onnx.NodeProto]) -> tuple[Path, Path]:
    """An ONNX model of x [1, 4] and y, and samples."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 4)) for name in ("x", "y")]
    weights = numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weights])
    model, samples = folder / "model.onnx", folder / "samples.npz"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), model)
    np.savez(samples, x=np.random.default_rng(0).normal(size=(64, 1, 4)))
    return model, samples


def test_inspect_prints_the_names_of_a_model(tmp_path: Path) -> None:
    path = tmp_path / "integer.model"
    path.write_bytes(model_file.dump(named(ESCAPE)))
    shown = run("inspect", path)
    assert shown.exit_code == 0
    assert SHOWN in shown.output
    assert printable(shown.output, keep="\n") == shown.output
    assert run_json("inspect", path)["nodes"][0] == {"operator": "reshape", "name": SHOWN, "output": SHOWN}


@pytest.mark.parametrize("name", ["[/red]", "[red]dense", "layer[0]"])
def test_brackets_are_no_markup(tmp_path: Path, name: str) -> None:
    path = tmp_path / "integer.model"
    path.write_bytes(model_file.dump(named(name)))
    assert name in run("inspect", path).output


def test_an_error_quotes_a_name_as_it_can_be_printed(tmp_path: Path) -> None:
    model = named(ESCAPE)
    broken = replace(model, nodes=(replace(model.nodes[0], inputs=("nothing",)), *model.nodes[1:]))
    path = tmp_path / "integer.model"
    path.write_bytes(model_file.dump(broken))
    with pytest.raises(ModelError):
        model_file.load(path.read_bytes())
    shown = run("inspect", path)
    assert shown.exit_code == 2
    assert "reads 'nothing', which nothing before it defines" in shown.stderr
    assert printable(shown.stderr, keep="\n") == shown.stderr


def test_set_up_prints_the_names_of_nodes(tmp_path: Path) -> None:
    model, samples = save(tmp_path, [helper.make_node("MatMul", ["x", "w"], ["y"], name=ESCAPE)])
    shown = run("setup", model, "--calibration", samples, "-o", tmp_path / "keys")
    assert shown.exit_code == 0
    assert SHOWN in shown.output
    assert printable(shown.output, keep="\n") == shown.output


def test_set_up_names_what_it_refuses(tmp_path: Path) -> None:
    model, samples = save(tmp_path, [helper.make_node("Det", ["x"], ["y"], name=ESCAPE)])
    shown = run("setup", model, "--calibration", samples, "-o", tmp_path / "keys")
    assert shown.exit_code == 2
    assert "?[2J?[Hvalid (1.91 ms)" in shown.stderr
    assert printable(shown.stderr, keep="\n") == shown.stderr
