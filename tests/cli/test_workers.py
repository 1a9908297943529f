"""`prove --workers`, with workers in this process in the place of a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deepprove_dist.cli import main, prove
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker

MODEL = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"
INPUT = ("--input", MODEL / "input.json")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers") / "keys"
    calibration = ("--calibration", MODEL / "calibration.npz")
    result = run("setup", MODEL / "model.onnx", *calibration, "-o", folder, "--transparent")
    assert result.exit_code == 0
    return folder


def test_a_proof_is_on_disk_before_workers_are_closed(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof, at_closing = tmp_path / "proof", []

    @contextmanager
    def opened(_: object) -> Iterator[WorkerGroup]:
        yield WorkerGroup(InProcessExecutor(2, create_worker))
        at_closing.append(proof.is_file())
        raise SystemExit(1)  # as Ray ends a process whose cluster is gone

    monkeypatch.setattr(prove, "opened", opened)
    run("prove", keys, *INPUT, "-o", proof, "--workers", 2)
    assert at_closing == [True]
    assert json.loads(run("verify", keys / "verifying.key", proof, "--json").stdout)["valid"]
