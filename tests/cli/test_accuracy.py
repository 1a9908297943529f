"""What `setup` says of inexact models, and what it refuses, in Python and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

import deepprove_dist as dp
from deepprove_dist.cli import main
from deepprove_dist.cli.failures import with_flags
from deepprove_dist.errors import AccuracyError, Cause, InputRangeError, SamplesError
from deepprove_dist.samples import Samples
from tests.quantise import inexact
from tests.quantise.inexact import Inexact


def written(folder: Path, case: Inexact) -> tuple[str, str]:
    """The paths of the model and of its calibration samples."""
    onnx.save(case.model, folder / "model.onnx")
    np.savez(folder / "calibration.npz", x=case.calibration.inputs["x"])
    return str(folder / "model.onnx"), str(folder / "calibration.npz")


def setup(folder: Path, case: Inexact, *options: str) -> Result:
    model, calibration = written(folder, case)
    arguments = ["setup", model, "--calibration", calibration, "-o", str(folder / "keys"), *options]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_a_warning_goes_to_standard_error_and_into_the_report(tmp_path: Path) -> None:
    result = setup(tmp_path, inexact.few_bits(), "--json", "--activation-bits", "8")
    assert result.exit_code == 0
    (warning,) = json.loads(result.stdout)["warnings"]
    assert (warning["layer"], warning["cause"]) == ("layer1", Cause.FEW_BITS.value)
    assert f"Warning: {warning['message']}" in result.stderr
    assert "activation_bits=12" in warning["remedy"]
    assert with_flags(warning["remedy"]) in result.stderr
    assert (tmp_path / "keys" / "verifying.key").is_file()


def test_a_model_that_is_too_inexact_is_refused(tmp_path: Path) -> None:
    result = setup(tmp_path, inexact.unlike_channels())
    assert result.exit_code == 1
    assert not (tmp_path / "keys").exists()
    for words in ("layer1", "one scale for channels", "--accept-error"):
        assert words in result.stderr
    accepted = setup(tmp_path, inexact.unlike_channels(), "--accept-error")
    assert accepted.exit_code == 0
    assert "Warning: " in accepted.stderr
    assert (tmp_path / "keys" / "verifying.key").is_file()


def test_in_python_the_refusal_has_the_warnings(tmp_path: Path) -> None:
    model, calibration = written(tmp_path, inexact.unlike_channels())
    with pytest.raises(AccuracyError, match="accept_error=True") as caught:
        dp.setup(model, calibration, threads=1)
    keys = dp.setup(model, calibration, accept_error=True, threads=1)
    assert keys.report.warnings == caught.value.warnings
    assert [warning.cause for warning in keys.report.warnings] == [Cause.UNLIKE_CHANNELS]


def test_samples_that_cannot_calibrate_are_refused(tmp_path: Path) -> None:
    zeros = Inexact(inexact.exact().model, inexact.samples(x=np.zeros((20, 8))))
    result = setup(tmp_path, zeros)
    assert result.exit_code == 2
    assert "all zero" in result.stderr
    assert not (tmp_path / "keys").exists()
    with pytest.raises(SamplesError, match="one sample"):
        dp.setup(tmp_path / "model.onnx", Samples({"x": np.ones((1, 1, 8))}, None))


def test_the_report_has_ranges_errors_and_agreement(tmp_path: Path) -> None:
    case = inexact.exact()
    model, calibration = written(tmp_path, case)
    report = dp.setup(model, calibration, score=case.others, threads=1).report
    assert report.warnings == ()
    (x,) = report.inputs
    values = case.calibration.inputs["x"]
    assert x.lowest <= values.min() + 1e-6
    assert x.highest >= values.max() - 1e-6
    width = values.max() - values.min()
    assert x.margin_below == pytest.approx((values.min() - x.lowest) / width, abs=1e-6)
    assert x.margin_above == pytest.approx((x.highest - values.max()) / width, abs=1e-6)
    assert [output.samples for output in report.outputs] == ["calibration", "held out", "score"]
    assert all(output.error < 0.05 for output in report.outputs)
    assert [layer.layer for layer in report.layers] == ["layer0", "layer1"]
    assert report.agreement == report.outputs[-1].agreement


def test_scoring_without_labels_and_with_targets(tmp_path: Path) -> None:
    case = inexact.exact()
    score, values = tmp_path / "score.npz", case.calibration.inputs["x"]
    np.savez(score, x=values)
    result = setup(tmp_path, case, "--score", str(score), "--transparent")
    assert result.exit_code == 0
    assert "agreement of the two" in result.stdout
    assert "accuracy" not in result.stdout
    np.savez(score, x=values, y=np.full((len(values), 4), 0.5))
    assert "distance from targets" in setup(tmp_path, case, "--score", str(score), "--transparent").stdout


def test_an_input_out_of_range_says_what_helps(tmp_path: Path) -> None:
    model, calibration = written(tmp_path, inexact.exact())
    keys = dp.setup(model, calibration, threads=1)
    values = np.zeros((3, 1, 8))
    values[1, 0, 5] = 1e4
    problem = r"input 'x', sample 1, flat index 5: 10000 lies outside the calibrated range \[-"
    with pytest.raises(InputRangeError, match=problem + r".*clamp=True.*more samples"):
        keys.infer(values)
    keys.save(tmp_path / "keys")
    np.save(tmp_path / "input.npy", values)
    arguments = ["infer", str(tmp_path / "keys"), "--input", str(tmp_path / "input.npy"), "--index", "0:3"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 2
    assert "--clamp" in result.stderr
    assert "clamp=True" not in result.stderr
    assert "more samples" in result.stderr
    assert CliRunner().invoke(main, [*arguments, "--clamp"]).exit_code == 0
