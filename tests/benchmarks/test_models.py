"""Where models come from; PyTorch's scripts are stood in for by small ones, but for the slow test."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks import models
from benchmarks.models import find_model
from benchmarks.settings import CnnConfig, DenseConfig, FileConfig
from deepprove_dist.errors import DeepProveError, InputError

IRIS = models.ASSETS / "models" / "iris_mlp_d1_w10"

COPYING = f"""
import shutil, sys
from pathlib import Path
shutil.copytree({str(IRIS)!r}, sys.argv[1])
Path(sys.argv[1], "arguments").write_text(" ".join(sys.argv[2:]))
print("trained on Iris")
"""


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for scripts in place of the real ones."""
    monkeypatch.setattr(models, "SCRIPTS", tmp_path)
    monkeypatch.setattr(models, "has_pytorch", lambda: True)
    return tmp_path


def test_scripts_create_the_model_that_was_asked_for(scripts: Path) -> None:
    (scripts / "mlp.py").write_text(COPYING)
    model, origin = find_model(DenseConfig(3, 33), create=True, samples=5, folder=scripts / "made")
    assert (model.name, origin, len(model.scored)) == ("d3_w33", "trained on Iris", 5)
    arguments = (scripts / "made" / "d3_w33" / "arguments").read_text()
    assert arguments == "--samples 5 --dense 3 --width 33"
    (scripts / "cnn.py").write_text(COPYING)
    find_model(CnnConfig(1000), create=True, samples=5, folder=scripts / "made")
    assert "--parameters 1000" in (scripts / "made" / "cnn" / "arguments").read_text()


def test_a_script_that_fails_says_why(scripts: Path) -> None:
    (scripts / "mlp.py").write_text("raise SystemExit('no disk')")
    with pytest.raises(DeepProveError, match=r"could not create 1,10:\nno disk"):
        find_model(DenseConfig(1, 10), create=True, samples=5, folder=scripts / "made")


def test_calibration_samples_are_never_scored(tmp_path: Path) -> None:
    content = {"input_data": [[float(value)] * 4 for value in range(10)]}
    samples = tmp_path / "samples.json"
    samples.write_text(json.dumps(content))
    (tmp_path / "mine.onnx").write_bytes((IRIS / "model.onnx").read_bytes())
    config = FileConfig(tmp_path / "mine.onnx", samples)
    model, _ = find_model(config, create=True, samples=4, folder=tmp_path)
    scored, calibration = (
        {float(row.flat[0]) for row in next(iter(part.inputs.values()))}
        for part in (model.scored, model.calibration)
    )
    assert (scored, calibration) == ({0.0, 1.0, 2.0, 3.0}, {4.0, 5.0, 6.0, 7.0, 8.0, 9.0})
    with pytest.raises(InputError, match="none calibrate"):
        find_model(config, create=True, samples=10, folder=tmp_path)
    np.savez(tmp_path / "calibration.npz", x=np.full((2, 4), 99.0))
    model, _ = find_model(config, create=True, samples=10, folder=tmp_path)
    assert (len(model.scored), len(model.calibration)) == (10, 2)


@pytest.mark.parametrize(
    "config", [DenseConfig(1, 10), DenseConfig(4, 128), DenseConfig(5, 64), CnnConfig(62_006)]
)
def test_shipped_models_have_samples_with_labels(config: DenseConfig | CnnConfig, tmp_path: Path) -> None:
    model, origin = find_model(config, create=False, samples=30, folder=tmp_path)
    assert len(model.scored) == 30
    assert model.scored.labels is not None
    assert "shipped" in origin


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="trains a network, which needs PyTorch")
@pytest.mark.parametrize(("script", "options"), [("mlp.py", ("--width", "4")), ("cnn.py", ())])
def test_training_is_seeded(script: str, options: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("one", "two"):
        command = [sys.executable, models.SCRIPTS / script, tmp_path / name, *options]
        subprocess.run([str(part) for part in command], check=True, timeout=300)
    assert (tmp_path / "one" / "model.onnx").read_bytes() == (tmp_path / "two" / "model.onnx").read_bytes()
