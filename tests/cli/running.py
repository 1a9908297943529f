"""Commands, run in the process of the test."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from deepprove_dist.cli import main

MODEL = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"
INPUT = ("--input", MODEL / "input.json")


def run(*arguments: object) -> Result:
    """What `deepprove-dist` does with these arguments."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def make_keys(folder: Path, *options: object) -> Path:
    """A folder of keys of the model."""
    calibration = ("--calibration", MODEL / "calibration.npz")
    assert run("setup", MODEL / "model.onnx", *calibration, "-o", folder, *options).exit_code == 0
    return folder
