"""Hiding keys on the command line: what is left, what is refused, and what is said of transparent ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from deepprove_dist.certificate_cache import CertificateCache
from deepprove_dist.cli import main
from deepprove_dist.cli.app import SUMMARIES
from deepprove_dist.protocol.certificate.verify import verify as verify_certificate
from deepprove_dist.randomness.secret import SECRET_FILE
from tests.cli.test_commands import CALIBRATION, INPUT, MODEL, run, run_json
from tests.hiding_keys import hiding_keys, transparent_keys

ZEROS = {"input_data": [[0.0, 0.0, 0.0, 0.0]]}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder of hiding keys that allow one proof."""
    (tmp_path / "input.json").write_text(json.dumps(ZEROS))
    hiding_keys().save(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def transparent(tmp_path: Path) -> Path:
    """A folder of transparent keys."""
    (tmp_path / "input.json").write_text(json.dumps(ZEROS))
    transparent_keys().save(tmp_path / "transparent")
    return tmp_path / "transparent"


def prove(keys: Path, *options: object) -> tuple[object, ...]:
    return ("prove", keys, "--input", keys.parent / "input.json", "-o", keys.parent / "proof", *options)


def test_prove_says_what_is_left_and_refuses_at_zero(keys: Path) -> None:
    fields = run_json(*prove(keys))
    assert (fields["mode"], fields["hides"]) == ("hiding", "weights and activations")
    assert (fields["epoch"], fields["remaining"], fields["rekeyed"]) == (0, 0, False)
    (keys.parent / "proof").unlink()
    result = run(*prove(keys))
    assert result.exit_code == 1
    assert "may make 1 proofs in epoch 0, and has none left; rekey makes the next epoch" in result.output
    assert not (keys.parent / "proof").exists()


def test_people_read_what_is_left(keys: Path) -> None:
    result = run(*prove(keys))
    text = " ".join(result.stdout.split())
    assert "proof hiding: hides weights and activations proofs left 0 in epoch 0" in text
    assert result.stderr == ""


def test_an_epoch_is_made_by_rekey_or_by_itself(keys: Path) -> None:
    proof, key = keys.parent / "proof", keys / "verifying.key"
    run_json(*prove(keys))
    fields = run_json(*prove(keys, "--auto-rekey"))
    assert (fields["epoch"], fields["remaining"], fields["rekeyed"]) == (1, 0, True)
    assert run_json("verify", key, proof)["valid"] is True
    fields = run_json("rekey", keys)
    assert (fields["epoch"], fields["certified_by"]) == (2, 0)
    certificate = Path(fields["certificate"])
    assert certificate.stat().st_size == fields["certificate_bytes"]
    assert run_json(*prove(keys, "--auto-rekey", "--without-certificates"))["rekeyed"] is False
    error = run_json("verify", key, proof, status=1)["error"]
    assert error["check"] == "epoch accepted"
    assert run_json("verify", key, proof, "--certificate", certificate)["valid"] is True
    assert run("verify", key, proof, "--certificate", proof).exit_code == 2
    epochs = run_json("inspect", keys)["epochs"]
    assert [(item["epoch"], item["certified_by"]) for item in epochs] == [(1, 0), (2, 0)]
    assert run_json("inspect", proof)["epoch"] == 2
    assert "proves in epoch 3" in run("rekey", keys).stdout


def test_verify_checks_a_certificate_once(keys: Path, cache: CertificateCache) -> None:
    proof, key = keys.parent / "proof", keys / "verifying.key"
    run_json("rekey", keys)
    run_json(*prove(keys))
    with patch("deepprove_dist.protocol.certificate.accepted.verify", wraps=verify_certificate) as checked:
        assert run_json("verify", key, proof, "--no-cache")["valid"] is True
        assert not cache.folder.exists()
        for _ in range(2):
            assert run_json("verify", key, proof)["valid"] is True
        assert checked.call_count == 2
        assert run_json("verify", key, proof, "--no-cache")["valid"] is True
    assert checked.call_count == 3
    assert len([*cache.folder.iterdir()]) == 1


def test_a_copied_folder_is_adopted(keys: Path) -> None:
    copy = keys.parent / "copy"
    shutil.copytree(keys, copy)
    result = run(*prove(copy))
    assert result.exit_code == 1
    assert "deepprove-dist adopt" in result.output
    described = run_json("inspect", copy)
    assert described["remaining"] is None
    assert "copied or moved" in described["problem"]
    assert run_json("adopt", copy) == {"keys": str(copy)}
    assert run_json(*prove(copy))["remaining"] == 0
    assert "No other copy" in run("adopt", copy).stdout


def test_a_secret_that_others_may_read_is_refused(keys: Path) -> None:
    (keys / SECRET_FILE).chmod(0o644)
    result = run(*prove(keys))
    assert result.exit_code == 2
    assert "chmod 600" in result.output
    (keys / SECRET_FILE).unlink()
    for command in (prove(keys), ("adopt", keys), ("rekey", keys)):
        result = run(*command)
        assert result.exit_code == 2
        assert "has no proving.secret" in result.output


def test_a_folder_of_keys_shows_what_is_left(keys: Path, transparent: Path) -> None:
    fields = run_json("inspect", keys)
    assert (fields["mode"], fields["epoch"], fields["proofs"], fields["remaining"]) == ("hiding", 0, 1, 1)
    assert fields["problem"] == ""
    assert {item["part"] for item in fields["files"]} >= {"proving.secret", "proofs.counter"}
    fields = run_json("inspect", transparent)
    assert (fields["mode"], fields["epoch"], fields["remaining"]) == ("transparent", None, None)
    for folder in (keys, transparent):
        assert run("inspect", folder).exit_code == 0


def test_transparent_keys_say_that_they_hide_nothing(transparent: Path) -> None:
    result = run(*prove(transparent))
    assert "transparent: hides nothing" in " ".join(result.stdout.split())
    assert "Warning: these keys are transparent: their proofs hide nothing, and who sees" in result.stderr
    key, proof = transparent / "verifying.key", transparent.parent / "proof"
    fields = run_json(*prove(transparent))
    assert (fields["mode"], fields["hides"], fields["remaining"]) == ("transparent", "nothing", None)
    assert "transparent: hides nothing" in run("verify", key, proof).stdout
    assert run_json("verify", key, proof)["mode"] == "transparent"
    assert run_json("inspect", key)["hides"] == "nothing"
    for command in ("adopt", "rekey"):
        assert run(command, transparent).exit_code == 2


def test_setup_reports_proofs_and_costs(tmp_path: Path) -> None:
    setup = ("setup", MODEL / "model.onnx", *CALIBRATION, "-o")
    fields = run_json(*setup, tmp_path / "keys", "--proofs", 20)
    cost = fields["hiding"]
    assert fields["mode"] == "hiding"
    assert cost["proofs"] >= 20
    assert cost["proof_bytes"] > cost["transparent_bytes"]
    assert cost["proving_ms"] > cost["transparent_ms"]
    assert run_json("inspect", tmp_path / "keys")["remaining"] == cost["proofs"]
    refused = run(*setup, tmp_path / "keys")
    assert refused.exit_code == 2
    assert "holds another set-up" in refused.output
    shown = " ".join(run(*setup, tmp_path / "more").stdout.split())
    assert "proofs hiding: hides weights and activations proofs allowed" in shown
    assert "times that of a transparent one" in shown
    fields = run_json(*setup, tmp_path / "transparent", "--transparent")
    assert (fields["mode"], fields["hiding"]) == ("transparent", None)
    for wrong in (("--transparent",), ("--weights", "public")):
        result = run(*setup, tmp_path / "wrong", "--proofs", 20, *wrong)
        assert result.exit_code == 2
        assert "have no budget" in result.output
    assert not (tmp_path / "wrong").exists()


def test_public_weights_hide_activations(tmp_path: Path) -> None:
    keys, proof = tmp_path / "keys", tmp_path / "proof"
    fields = run_json("setup", MODEL / "model.onnx", *CALIBRATION, "--weights", "public", "-o", keys)
    assert fields["hides"] == "activations"
    assert fields["hiding"]["proofs"] is None
    fields = run_json("prove", keys, *INPUT, "-o", proof)
    assert (fields["epoch"], fields["remaining"]) == (None, None)
    verify = ("verify", keys / "verifying.key", proof, "--model", keys / "model.integer")
    assert run_json(*verify)["hides"] == "activations"


def test_estimate_is_for_both_modes() -> None:
    hiding = run_json("estimate", MODEL / "model.onnx", "--proofs", 32)
    transparent = run_json("estimate", MODEL / "model.onnx", "--transparent")
    assert hiding["hiding"]["proofs"] >= 32
    assert hiding["hiding"]["proof_bytes"] == hiding["proof_bytes"] > transparent["proof_bytes"]
    assert transparent["hiding"] is None
    assert "proofs allowed" in run("estimate", MODEL / "model.onnx").stdout
    assert "hides nothing" in run("estimate", MODEL / "model.onnx", "--transparent").stdout


def test_bench_uses_no_budget() -> None:
    bench = ("bench", MODEL / "model.onnx", *CALIBRATION, *INPUT, "--repeat", 2, "--proofs", 1)
    fields = run_json(*bench)
    assert fields["mode"] == "hiding"
    assert fields["hiding"]["proofs"] < 3
    assert run_json(*bench[:-2], "--transparent")["mode"] == "transparent"


def test_an_audit_needs_the_secret_to_compare_all(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    run_json("setup", MODEL / "model.onnx", *CALIBRATION, "-o", keys)
    audit = ("audit", keys, MODEL / "model.onnx")
    assert run_json(*audit)["unchecked"] == []
    (keys / SECRET_FILE).unlink()
    fields = run_json(*audit, status=1)
    assert (fields["same"], fields["differences"]) == (False, [])
    assert "without proving.secret" in fields["unchecked"][0]
    assert "nothing differs, but not all could be compared" in run(*audit).stdout


def test_errors_show_no_secret(keys: Path) -> None:
    secret = (keys / SECRET_FILE).read_bytes()[-32:]
    run(*prove(keys))
    (keys / "proofs.counter").write_bytes(b"damaged")
    for options in ((), ("--debug",)):
        arguments = [*options, *map(str, prove(keys))]
        result = CliRunner().invoke(main, arguments)
        text = result.output + repr(result.exception)
        assert result.exit_code == 1
        assert secret.hex() not in text
        assert repr(secret) not in text


def test_commands_for_budgets_are_listed() -> None:
    assert {"rekey", "adopt"} <= set(SUMMARIES)
    assert "Not with --transparent" in " ".join(run("setup", "--help").output.split())
