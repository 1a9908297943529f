"""Every command on a real model: what it prints, what it writes and its exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from deepprove_dist.checks import list_checks
from deepprove_dist.cli import main
from deepprove_dist.protocol.messages import proof as proof_file

MODEL = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"
CALIBRATION = ("--calibration", MODEL / "calibration.npz")
INPUT = ("--input", MODEL / "input.json")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def run_json(*arguments: object, status: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == status, result.output
    fields = json.loads(result.stdout)
    assert isinstance(fields, dict)
    return fields


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, their set-up's report as `setup.json`, a `proof` of sample 1 and `prove.json`."""
    folder = tmp_path_factory.mktemp("commands")
    score = ("--score", MODEL / "test.npz")
    setup = run_json("setup", MODEL / "model.onnx", *CALIBRATION, *score, "-o", folder / "keys")
    prove = run_json(
        *("prove", folder / "keys", *INPUT, "--index", 1, "--context", "nonce", "-o", folder / "proof")
    )
    (folder / "setup.json").write_text(json.dumps(setup))
    (folder / "prove.json").write_text(json.dumps(prove))
    return folder


def test_setup_reports_time_size_and_accuracy(folder: Path) -> None:
    fields = json.loads((folder / "setup.json").read_text())
    assert fields["quantise_ms"] > 0
    assert fields["setup_ms"] > 0
    assert fields["parameters"] == 83
    assert fields["float_accuracy"] == pytest.approx(26 / 30)
    assert abs(fields["quantised_accuracy"] - fields["float_accuracy"]) <= 1 / 30
    assert 0.9 <= fields["agreement"] <= 1
    assert (folder / "keys" / "verifying.key").is_file()


def test_prove_reports_and_writes_the_proof(folder: Path) -> None:
    fields = json.loads((folder / "prove.json").read_text())
    assert fields["proof_bytes"] == (folder / "proof").stat().st_size
    assert min(fields[name] for name in ("proving_ms", "inference_ms", "self_check_ms", "peak_rss_bytes")) > 0
    assert np.size(fields["output"]) == np.size(fields["output_integers"]) == 3


def test_a_valid_proof_gives_the_output(folder: Path) -> None:
    fields = run_json("verify", folder / "keys" / "verifying.key", folder / "proof")
    assert fields["valid"] is True
    assert fields["verifying_ms"] > 0
    assert fields["output"] == json.loads((folder / "prove.json").read_text())["output"]
    assert fields["context"] == "nonce"


def test_checks_are_listed_without_key_or_proof() -> None:
    result = run("verify", "--list-checks")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == list(list_checks())


def test_what_the_caller_expects_is_compared(folder: Path) -> None:
    verify = ("verify", folder / "keys" / "verifying.key", folder / "proof")
    digest = run_json(*verify)["key_digest"]
    output = ("--output", folder / "prove.json")
    expected = (*INPUT, "--index", 1, *output, "--key-digest", digest, "--context", "nonce")
    assert run_json(*verify, *expected)["valid"] is True
    for wrong in ((*INPUT, "--index", 2), ("--key-digest", "00" * 32), ("--context", "another")):
        fields = run_json(*verify, *wrong, status=1)
        assert fields["valid"] is False
        assert fields["error"]["check"]
    assert run(*verify, "--key-digest", "xyz").exit_code == 2


def test_an_altered_proof_is_not_valid(folder: Path, tmp_path: Path) -> None:
    content = bytearray((folder / "proof").read_bytes())
    # A bit of a hash: one of the file's own frame would make it no proof at all.
    content[content.index(proof_file.load(bytes(content)).opening.leaves[-1].nodes)] ^= 1
    altered = tmp_path / "proof"
    altered.write_bytes(content)
    result = run("verify", folder / "keys" / "verifying.key", altered)
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT valid: ")


def test_unreadable_files_have_their_own_status(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert run("verify", folder / "keys" / "verifying.key", tmp_path / "none").exit_code == 2
    assert run("verify", empty, folder / "proof").exit_code == 2
    assert run("prove", folder / "keys", "--input", empty, "-o", tmp_path / "proof").exit_code == 2
    assert not (tmp_path / "proof").exists()


def test_a_folder_without_keys_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.integer").write_bytes((folder / "keys" / "model.integer").read_bytes())
    for keys, missing in (
        (tmp_path.parent, "model.integer and no verifying.key"),
        (tmp_path, "verifying.key"),
    ):
        for command in (("prove", keys, *INPUT, "-o", tmp_path / "proof"), ("infer", keys, *INPUT)):
            result = run(*command)
            assert result.exit_code == 2
            assert f"{keys} is no folder of keys: it has no {missing};" in result.output.replace("\n", " ")


def test_targets_that_are_no_labels_matter_to_score_only(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    path = tmp_path / "regression.npz"
    np.savez(path, x=generator.normal(size=(20, 4)), y=generator.normal(size=20))
    setup = ("setup", MODEL / "model.onnx", "--calibration", path, "-o", tmp_path / "keys", "--transparent")
    assert run(*setup).exit_code == 0
    assert run("prove", tmp_path / "keys", "--input", path, "-o", tmp_path / "proof").exit_code == 0
    scored = run(*setup, "--score", path)
    assert scored.exit_code == 2
    assert "targets of 1 values, which fit no output" in scored.output


def test_a_file_for_a_folder_and_a_folder_for_a_file_say_what_to_give(folder: Path, tmp_path: Path) -> None:
    keys = folder / "keys"
    asked = "give the folder of the keys"
    for command, advice in (
        (("verify", keys, folder / "proof"), f"give its file {keys / 'verifying.key'}"),
        (("prove", keys / "verifying.key", *INPUT, "-o", tmp_path / "proof"), asked),
        (("infer", keys / "verifying.key", *INPUT), asked),
        (("audit", keys / "verifying.key", MODEL / "model.onnx"), asked),
        (("inspect", MODEL / "model.onnx"), "an ONNX file goes to estimate or setup"),
    ):
        result = run(*command)
        assert result.exit_code == 2
        assert advice in result.output


def test_inspect_and_the_error_terms(folder: Path) -> None:
    for name in ("proof", "keys/verifying.key"):
        assert run_json("inspect", folder / name)
        assert run("inspect", folder / name).exit_code == 0
    fields = run_json("inspect", folder / "keys" / "verifying.key", "--security")
    assert fields["total_bits"] >= 100
    assert all(term["bits"] > fields["total_bits"] for term in fields["terms"])
    assert fields["required_bits"] == 100
    assert fields["total_bits"] < fields["largest_round_bits"] < 103
    assert 93 < fields["total_bits_by_older_count"] < 100
    assert fields["hash_collision_bits"] == 128
    sentences = " ".join(fields["rests_on"])
    for phrase in ("random oracle", "2025/2055 and 2025/2110", "2020/654", "2^128"):
        assert phrase in sentences
    shown = " ".join(run("inspect", folder / "keys" / "verifying.key", "--security").output.split())
    assert all(sentence in shown for sentence in fields["rests_on"])


def test_a_second_level_of_security(tmp_path: Path) -> None:
    keys, proof = tmp_path / "keys", tmp_path / "proof"
    setup = ("setup", MODEL / "model.onnx", *CALIBRATION, "-o", keys, "--transparent")
    run_json(*setup, "--security", 128)
    run_json("prove", keys, *INPUT, "-o", proof)
    assert run_json("verify", keys / "verifying.key", proof)["valid"] is True
    described = run_json("inspect", keys / "verifying.key")
    assert described["required_bits"] == 128
    assert described["security_bits"] >= 128
    assert described["proofs_revealing_weights"] >= 1
    assert run_json("inspect", keys / "verifying.key", "--security")["total_bits"] >= 128
    assert run(*setup, "--security", 127).exit_code == 2
    longer, shorter = (
        run_json("estimate", MODEL / "model.onnx", "--security", level) for level in (128, 100)
    )
    assert longer["security_bits"] >= 128 > shorter["security_bits"]
    assert longer["proof_bytes"] > shorter["proof_bytes"]


def test_public_weights_have_nothing_to_reveal(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    run_json("setup", MODEL / "model.onnx", *CALIBRATION, "--weights", "public", "-o", keys)
    assert run_json("inspect", keys / "verifying.key")["proofs_revealing_weights"] is None


def test_the_help_says_what_proofs_hide() -> None:
    for command in ("setup", "prove"):
        text = " ".join(run(command, "--help").output.split())
        assert "zero-knowledge" in text
        assert "hide nothing" in text
    assert "proofs_revealing_weights" in run("inspect", "--help").output


def test_audit_tells_a_model_from_another(folder: Path) -> None:
    audited = run_json("audit", folder / "keys", MODEL / "model.onnx")
    assert audited == {"same": True, "inputs": "random", "differences": [], "unchecked": []}
    given = run_json("audit", folder / "keys", MODEL / "model.onnx", "--samples", MODEL / "test.npz")
    assert given == {"same": True, "inputs": "samples", "differences": [], "unchecked": []}
    assert "random inputs" in run("audit", folder / "keys", MODEL / "model.onnx").stdout
    other = MODEL.parent / "iris_mlp_d4_w128" / "model.onnx"
    assert run_json("audit", folder / "keys", other, status=1)["differences"]


def test_audit_says_what_it_compared(folder: Path, tmp_path: Path) -> None:
    """A model is what its content is, whatever its file's name."""
    keys, samples = folder / "keys", ("--samples", MODEL / "test.npz")
    renamed = tmp_path / "model.bin"
    renamed.write_bytes((MODEL / "model.onnx").read_bytes())
    alone, given = run("audit", keys, renamed), run("audit", keys, renamed, *samples)
    assert (alone.exit_code, given.exit_code) == (0, 0)
    assert "random inputs only" in alone.stderr
    assert given.stderr == ""
    integer = run("audit", keys, keys / "model.integer")
    assert (integer.exit_code, integer.stderr) == (0, "")
    refused = run("audit", keys, keys / "model.integer", *samples)
    assert refused.exit_code == 2
    assert "samples are for an ONNX model" in refused.stderr


def test_estimate_needs_no_samples() -> None:
    fields = run_json("estimate", MODEL / "model.onnx")
    assert fields["proof_bytes"] > 0
    assert run("estimate", MODEL / "model.onnx").exit_code == 0


def test_bench_gives_medians_and_all_samples() -> None:
    fields = run_json("bench", MODEL / "model.onnx", *CALIBRATION, *INPUT, "--repeat", 3)
    for name in (
        "proving_ms",
        "inference_ms",
        "verifying_ms",
        "self_check_ms",
        "proof_bytes",
        "peak_rss_bytes",
    ):
        assert len(fields["samples"][name]) == 3
        assert fields[name] == sorted(fields["samples"][name])[1]
    assert len(fields["samples"]["setup_ms"]) == len(fields["samples"]["quantise_ms"]) == 1
    assert "median" in run("bench", MODEL / "model.onnx", *CALIBRATION, *INPUT, "--repeat", 1).stdout


def test_infer_gives_what_a_proof_says(folder: Path) -> None:
    proven = json.loads((folder / "prove.json").read_text())
    fields = run_json("infer", folder / "keys", *INPUT, "--index", 1)
    assert fields["output_integers"] == proven["output_integers"]
    assert fields["inference_ms"] > 0
    assert run("infer", folder / "keys", *INPUT, "--index", "x:3").exit_code == 2
    assert "there is no sample" in run("infer", folder / "keys", *INPUT, "--index", "3:999").output


def test_one_proof_of_several_inputs(tmp_path: Path) -> None:
    keys, proof = tmp_path / "keys", tmp_path / "proof"
    run_json("setup", MODEL / "model.onnx", *CALIBRATION, "--max-batch", 4, "-o", keys)
    proven = run_json("prove", keys, *INPUT, "--index", "2:5", "-o", proof)
    (tmp_path / "prove.json").write_text(json.dumps(proven))
    output = ("--output", tmp_path / "prove.json")
    verify = ("verify", keys / "verifying.key", proof, *INPUT)
    assert run_json(*verify, "--index", "2:5", *output)["output"] == proven["output"]
    assert len(proven["output"]) == 3
    run_json(*verify, "--index", "1:4", status=1)
    assert "4 in a proof" in run("prove", keys, *INPUT, "--index", "0:5", "-o", proof).output


def test_a_key_of_public_weights_needs_the_model_to_say_anything(tmp_path: Path) -> None:
    keys, proof = tmp_path / "keys", tmp_path / "proof"
    run_json("setup", MODEL / "model.onnx", *CALIBRATION, "--weights", "public", "-o", keys)
    run_json("prove", keys, *INPUT, "-o", proof)
    verify = ("verify", keys / "verifying.key", proof)
    missing = run(*verify)
    assert missing.exit_code == 2
    assert "--model" in missing.output
    assert "valid" not in missing.stdout
    assert run_json(*verify, "--model", keys / "model.integer")["valid"] is True
    assert run(*verify, "--model", MODEL / "model.onnx").exit_code == 2


def test_the_message_names_the_sample_that_was_asked_for(folder: Path, tmp_path: Path) -> None:
    result = run("prove", folder / "keys", *INPUT, "--index", 9999, "-o", tmp_path / "proof")
    assert result.exit_code == 2
    assert "no sample 9999:" in result.output
    assert "9999:10000" not in result.output
