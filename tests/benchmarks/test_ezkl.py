"""EZKL's steps: limits, failures and what its log says; EZKL itself is stood in for by a small module."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ezkl, ezkl_process
from benchmarks.ezkl import ezkl_rows, require_ezkl
from benchmarks.ezkl_process import StepFailed, run_step
from benchmarks.ezkl_step import ProofTimes
from benchmarks.models import Model, find_model
from benchmarks.settings import DenseConfig, EzklSettings
from deepprove_dist.errors import MissingPackageError

SETTINGS = EzklSettings(calibrate=True, check_mode="safe", time_limit=20.0, memory_limit=None)

STAND_IN = """
import json, time
from pathlib import Path

class PyRunArgs:
    pass

def gen_settings(model, output, py_run_args):
    Path(output).write_text(json.dumps({"run_args": {"logrows": 6, "check_mode": py_run_args.check_mode}}))
    return True

def calibrate_settings(data, model, settings, target, max_logrows):
    flat = json.loads(Path(data).read_text())["input_data"]
    assert len(flat) == 1 and len(flat[0]) % 4 == 0
    return True

def compile_circuit(model, compiled_circuit, settings_path):
    assert Path(model).is_file()
    return True

def gen_srs(srs_path, logrows):
    Path(srs_path).write_bytes(bytes(1 << logrows))

def setup(model, vk_path, pk_path, srs_path):
    Path(vk_path).write_bytes(bytes(1024))
    Path(pk_path).write_bytes(bytes(4096))
    return True

def gen_witness(data, model, output):
    Path(output).write_text(Path(data).read_text())
    return {}

def prove(witness, model, pk_path, proof_path, srs_path):
    content = {"proof": [0] * 2048, "pretty_public_inputs": {"rescaled_outputs": [["0.5", "0.25", "0.0"]]}}
    Path(proof_path).write_text(json.dumps(content))
    return {}

def verify(proof_path, settings_path, vk_path, srs_path):
    return True

def sleep():
    time.sleep(30)

def fail():
    raise ValueError("no such layer")

def allocate():
    return bytearray(1 << 34)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `ezkl` that the steps' processes find first; the folder for its files."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "ezkl.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models")
    return find_model(DenseConfig(1, 10), create=False, samples=2, folder=folder)[0]


def test_every_sample_has_a_row_with_times_sizes_and_keys(stand_in: Path, model: Model) -> None:
    rows = list(ezkl_rows(model, 1, SETTINGS, stand_in / "work"))
    assert [(row.config, row.run, row.sample, row.error) for row in rows] == [
        ("d1_w10", 1, 0, ""),
        ("d1_w10", 1, 1, ""),
    ]
    labels = model.scored.labels
    assert labels is not None
    assert [row.correct for row in rows] == list(labels == 0)
    for row in rows:
        assert (row.proof_kb, row.verifying_key_kb, row.proving_key_kb) == (2.0, 1.0, 4.0)
        assert row.verified is True
        assert row.ezkl_full_proving_ms == row.proving_ms
        assert row.preparation_ms is not None
    settings = json.loads((stand_in / "work" / "settings.json").read_text())
    assert settings["run_args"]["check_mode"] == "safe"


def test_a_step_that_fails_is_a_row_for_every_sample(
    stand_in: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(function: str, *_: object) -> object:
        raise StepFailed(f"{function}: out of memory")

    monkeypatch.setattr(ezkl, "run_step", failing)
    rows = list(ezkl_rows(model, 0, SETTINGS, stand_in / "work"))
    assert [(row.correct, row.verified, row.error) for row in rows] == [
        (False, False, "gen_settings: out of memory")
    ] * 2


def test_limits_end_a_step_and_say_so(stand_in: Path) -> None:
    slow = EzklSettings(calibrate=True, check_mode="safe", time_limit=0.2, memory_limit=None)
    with pytest.raises(StepFailed, match=r"sleep: ended after its limit of 0\.2 s"):
        run_step("sleep", {}, slow, stand_in)
    small = EzklSettings(calibrate=True, check_mode="safe", time_limit=20.0, memory_limit=1 << 31)
    with pytest.raises(StepFailed, match=r"allocate: out of memory, limit 2\.0 GB"):
        run_step("allocate", {}, small, stand_in)
    with pytest.raises(StepFailed, match="fail: ValueError: no such layer"):
        run_step("fail", {}, SETTINGS, stand_in)


def test_a_signal_is_named() -> None:
    run: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], -9, "", "")
    assert "signal 9" in ezkl_process._reason(run, None)


def test_without_ezkl_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ezkl, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="pip install 'ezkl"):
        require_ezkl()


def test_proof_times_are_seconds_and_milliseconds_without_zeros() -> None:
    times = ProofTimes()
    record = logging.LogRecord("ezkl.pfsys", logging.INFO, "", 0, "proof took %s", ("2.45",), None)
    times.emit(record)
    assert times.milliseconds == 2045


def test_samples_are_one_flat_list_for_each_input(model: Model, tmp_path: Path) -> None:
    circuit = ezkl.Circuit(model, SETTINGS, tmp_path)
    content = json.loads(Path(circuit._write("two.json", model.scored)).read_text())
    assert np.allclose(content["input_data"][0], next(iter(model.scored.inputs.values())).reshape(-1))
