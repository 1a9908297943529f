"""Workers measured alone, one after the other."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import models
from benchmarks.command import command
from benchmarks.models import Model
from benchmarks.scaling_run import measure_scaling
from deepprove_dist.importing.load import import_model
from deepprove_dist.samples import read_samples

FOLDER = models.ASSETS / "models" / "digits_lenet62k"


def test_a_point_for_each_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.scaling_run.REPEATS", 2)
    imported = import_model(FOLDER / "model.onnx")
    shapes = {name: imported.graph.shapes[name] for name in imported.graph.inputs}
    calibration = read_samples(FOLDER / "calibration.npz", shapes)
    model = Model("cnn", FOLDER / "model.onnx", imported, calibration, calibration.select(range(1)))
    alone, four = measure_scaling(model, (1, 4))
    assert (alone.workers, alone.rounds, alone.bytes_out, alone.slowest_ms) == (1, 0, 0, 0.0)
    assert alone.work_ms == alone.measured_ms
    assert four.workers == 4
    assert 4 <= four.rounds < 40
    assert all(len(busy) == 4 for busy in four.busy_ms.values())
    assert {"column rounds", "queries"} <= set(four.busy_ms)
    assert 0 < four.slowest_ms < four.work_ms
    assert four.bytes_out > 0
    assert four.bytes_in > 0


def test_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.scaling_run.REPEATS", 2)
    arguments = ["--skip-model-creation", "--skip-proving", "--repeats", "1", "--samples", "2"]
    result = CliRunner().invoke(command, [*arguments, "--scaling", "1,2", "--output-dir", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with (tmp_path / "scaling_d1_w10.csv").open(newline="") as file:
        assert [row["workers"] for row in csv.DictReader(file)] == ["1", "2"]
    assert (tmp_path / "scaling_d1_w10.png").is_file()
