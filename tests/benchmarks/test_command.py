"""`bench.py` from end to end on a small model, and its option surface."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks import affinity, models
from benchmarks.command import command
from benchmarks.rows import ZKML, header
from benchmarks.settings import DenseConfig
from benchmarks.zkml import Task, measure, zkml_rows
from deepprove_dist.samples import Samples

MODEL = models.ASSETS / "models" / "iris_mlp_d1_w10"
PNG = b"\x89PNG\r\n\x1a\n"

DEFAULTS: dict[str, Any] = {
    "configs": (DenseConfig(1, 10),),
    "repeats": 3,
    "run_ezkl": False,
    "skip_ezkl_calibration": False,
    "ezkl_check_mode": "safe",
    "show_accuracy": False,
    "verbose": False,
    "output_dir": Path("bench"),
    "samples": 30,
    "model_type": "mlp",
    "param_cnn": 62_006,
    "skip_model_creation": False,
    "skip_proving": False,
    "workers": 1,
    "batch": 1,
}
OTHERS = {
    *("num_threads", "scaling", "model", "samples_file", "deepprove_csv", "debug"),
    *("ezkl_time_limit", "ezkl_memory_limit"),
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two models with DeepProve's own file beside; `stdout.txt` is what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    foreign = folder / "zkml_d1_w10_theirs.csv"
    foreign.write_text("config,run,sample,inference (ms),proving (ms)\nd1_w10,0,0,1,60\n")
    options = ("--skip-model-creation", "--samples", 3, "--repeats", 1, "--batch", 2, "--verbose")
    result = run("--configs", "1,10:5,64", *options, "--deepprove-csv", foreign, "--output-dir", folder)
    assert result.exit_code == 0, result.output
    (folder / "stdout.txt").write_text(result.output)
    return folder


@pytest.mark.parametrize("option", ["--ezkl-time-limit", "--ezkl-memory-limit", "--repeats", "--batch"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_limits_and_counts_are_positive(option: str, value: str) -> None:
    assert run(option, value).exit_code == 2


def test_options_and_defaults_are_deepproves_and_our_own() -> None:
    options = command.make_context("bench.py", []).params
    assert {name: options[name] for name in DEFAULTS} == DEFAULTS
    assert set(options) - set(DEFAULTS) == OTHERS


def test_the_script_runs_and_says_what_it_needs(tmp_path: Path) -> None:
    script = models.ASSETS.parent / "bench.py"
    shown = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "--skip-model-creation" in shown.stdout
    shutil.copy(script, tmp_path)
    # Without site packages, and with no environment beside the script.
    bare = [sys.executable, "-S", str(tmp_path / "bench.py")]
    failed = subprocess.run(bare, capture_output=True, text=True, check=False, env={})
    assert failed.returncode == 1
    assert "make build" in failed.stderr


def test_a_row_for_each_sample(output: Path) -> None:
    for config in ("d1_w10", "d5_w64"):
        rows = read(output / f"zkml_{config}.csv")
        assert list(rows[0]) == header(ZKML)
        assert [(row["config"], row["run"], row["sample"]) for row in rows] == [
            (config, "0", str(sample)) for sample in range(3)
        ]
        assert all(row["verified (bool)"] == "1" and not row["error"] for row in rows)
        assert [row["batch"] for row in rows] == ["2", "2", "1"]
        assert float(rows[0]["security (bits)"]) >= 100
        assert all(float(row["peak memory (MB)"]) > 10 for row in rows)
        assert {row["accuracy (bool)"] for row in read(output / f"pytorch_{config}.csv")} <= {"0", "1"}


def test_the_summary_joins_all_provers(output: Path) -> None:
    rows = read(output / "benchmark_summary.csv")
    systems = {(row["config"], row["system"]): row for row in rows}
    assert systems["d1_w10", "DeepProve"]["inference and proving (ms)"] == "61.000"
    assert systems["d5_w64", "deepprove-dist"]["verified (bool)"] == "3"
    printed = (output / "stdout.txt").read_text()
    assert "the shipped model iris_mlp_d5_w64" in printed
    assert "run 0, sample 2" in printed


def test_pictures_and_the_machine(output: Path) -> None:
    for name in ("proving", "verifying", "proof_size", "steps", "phases"):
        assert (output / f"{name}.png").read_bytes().startswith(PNG)
    machine = json.loads((output / "machine.json").read_text())
    assert machine["cores"] == os.cpu_count()
    assert machine["packages"]["numpy"] == np.__version__
    assert {"cpu", "commit", "threads", "memory_bytes", "python"} <= set(machine)


def test_ones_own_model_without_proving(tmp_path: Path) -> None:
    samples = ("--input", MODEL / "input.json", "--samples", 4, "--repeats", 1)
    result = run("--model", MODEL / "model.onnx", *samples, "--skip-proving", "--output-dir", tmp_path)
    assert result.exit_code == 0, result.output
    rows = read(tmp_path / "zkml_iris_mlp_d1_w10.csv")
    assert len(rows) == 4
    assert all(row["inference (ms)"] and row["accuracy (bool)"] and not row["proving (ms)"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--configs", "5"), "dense,width"),
        (("--model", MODEL / "model.onnx"), "go together"),
        (("--run-ezkl", "--skip-proving"), "makes none"),
        (("--skip-model-creation", "--configs", "3,33"), "PyTorch creates it, without"),
        (("--skip-model-creation", "--model-type", "cnn", "--param-cnn", "1000"), "pip install -r"),
    ],
)
def test_a_wrong_command_line_says_why(arguments: tuple[object, ...], message: str, tmp_path: Path) -> None:
    result = run(*arguments, "--output-dir", tmp_path / "bench")
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_pytorch_a_shipped_model_is_used_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "has_pytorch", lambda: False)
    config = DenseConfig(1, 10)
    model, origin = models.find_model(config, create=True, samples=2, folder=Path("unused"))
    assert len(model.scored) == 2
    assert "shipped model iris_mlp_d1_w10" in origin
    assert "PyTorch" in origin


def test_affinity_warns_where_it_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "may use" in (affinity.restrict_to(1 << 20) or "may use")
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert f"{sys.platform} cannot restrict" in (affinity.restrict_to(1) or "")


def task(tmp_path: Path, samples: Samples, *, workers: int = 1, file: Path = MODEL / "model.onnx") -> Task:
    calibration = models.find_model(DenseConfig(1, 10), create=False, samples=1, folder=tmp_path)[0]
    return Task(
        *("d1_w10", 0, file, calibration.calibration, samples), True, workers, 1, tmp_path / "timings.csv"
    )


def test_a_sample_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    good, bad = np.zeros((1, 1, 4)), np.full((1, 1, 4), 50.0)
    samples = Samples({"input": np.concatenate([good, bad, good])}, np.array([0, 1, 2]))
    rows = list(measure(task(tmp_path, samples)))
    assert [row.sample for row in rows] == [0, 1, 2]
    assert [bool(row.error) for row in rows] == [False, True, False]
    assert "outside the calibrated range" in rows[1].error
    assert (rows[1].correct, rows[1].verified, rows[1].proving_ms) == (False, False, None)


def test_a_set_up_that_fails_is_a_row_for_each_sample(tmp_path: Path) -> None:
    samples = Samples({"input": np.zeros((2, 1, 4))}, None)
    rows = list(measure(task(tmp_path, samples, file=tmp_path / "none.onnx")))
    assert [(row.sample, row.correct, row.error[:7]) for row in rows] == [
        (0, False, "set-up:"),
        (1, False, "set-up:"),
    ]


def test_a_process_that_dies_leaves_rows(tmp_path: Path) -> None:
    samples = Samples({"wrong name": np.zeros((2, 1, 4))}, None)
    rows = list(zkml_rows(task(tmp_path, samples)))
    assert [row.sample for row in rows] == [0, 1]
    assert all(row.error and row.correct is False for row in rows)
