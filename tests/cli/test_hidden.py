"""Hidden inputs and outputs on the command line, from set-up to an opened commitment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.cli.test_commands import CALIBRATION, INPUT, MODEL, run, run_json

MODEL_FILE = MODEL / "model.onnx"
GRAPH = onnx.load(MODEL_FILE).graph
X, Y = GRAPH.input[0].name, GRAPH.output[0].name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys` that hide the input, and `both` that hide the output too; a `proof` of each."""
    folder = tmp_path_factory.mktemp("hidden")
    for keys, hidden in (("keys", ()), ("both", ("--hide-output", Y))):
        arguments = (*CALIBRATION, "--hide-input", X, *hidden, "-o", folder / keys)
        run_json("setup", MODEL_FILE, *arguments)
        result = run_json("prove", folder / keys, *INPUT, "-o", folder / f"{keys}.proof")
        (folder / f"{keys}.json").write_text(json.dumps(result))
    return folder


def result_of(folder: Path, keys: str = "keys") -> dict[str, Any]:
    fields = json.loads((folder / f"{keys}.json").read_text())
    assert isinstance(fields, dict)
    return fields


def verify(folder: Path, *arguments: object, keys: str = "keys", status: int = 0) -> dict[str, Any]:
    key, proof = folder / keys / "verifying.key", folder / f"{keys}.proof"
    return run_json("verify", key, proof, *arguments, status=status)


def test_prove_writes_an_opening_that_others_cannot_read(folder: Path) -> None:
    opening = folder / f"keys.proof.{X}.opening"
    assert result_of(folder)["openings"] == [str(opening)]
    assert opening.stat().st_mode & 0o777 == 0o600
    assert [Path(path).name for path in result_of(folder, "both")["openings"]] == [
        f"both.proof.{X}.opening",
        f"both.proof.{Y}.opening",
    ]


def test_verify_prints_commitments_and_compares_them(folder: Path) -> None:
    fields, digest = verify(folder), result_of(folder)["commitments"][X]
    assert fields["input_commitments"] == {X: digest}
    assert fields["output"] == result_of(folder)["output"]
    assert verify(folder, "--input-commitment", digest)["valid"]
    assert verify(folder, "--input-commitment", f"{X}={digest}")["valid"]
    other = verify(folder, "--input-commitment", "00" * 32, status=1)
    assert other["error"]["check"] == "expected input"
    both = verify(folder, keys="both")
    assert both["output"] is None
    assert set(both["output_commitments"]) == {Y}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (INPUT, "every input of this key is hidden"),
        (("--output-commitment", "00" * 32), "the key hides none"),
        (("--input-commitment", "zz"), "hexadecimal"),
        (("--input-commitment", f"z={'00' * 32}"), "the key hides no input 'z'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    folder: Path, arguments: tuple[object, ...], message: str
) -> None:
    result = run("verify", folder / "keys" / "verifying.key", folder / "keys.proof", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_reveal_shows_the_values_in_a_commitment(folder: Path) -> None:
    opening, digest = folder / f"keys.proof.{X}.opening", result_of(folder)["commitments"][X]
    fields = run_json("reveal", opening, "--commitment", digest, "--key", folder / "keys" / "verifying.key")
    infer = run_json("infer", folder / "keys", *INPUT)
    assert infer["output"] == result_of(folder)["output"]
    expected = np.asarray(json.loads((MODEL / "input.json").read_text())["input_data"][0])
    scale = np.max(np.abs(np.subtract(fields["values"], expected.reshape(np.shape(fields["values"])))))
    assert scale < 0.1
    other = run_json("reveal", opening, "--commitment", "00" * 32, status=1)
    assert other["error"]["check"] == "opened commitment"
    assert "values" not in other
    assert "integers" not in other


def test_an_output_is_revealed_alike(folder: Path) -> None:
    opening, digest = folder / f"both.proof.{Y}.opening", result_of(folder, "both")["commitments"][Y]
    fields = run_json("reveal", opening, "--commitment", digest)
    assert np.array_equal(
        np.ravel(fields["integers"]), np.ravel(result_of(folder, "both")["output_integers"])
    )


def test_further_proofs_are_about_the_same_commitment(folder: Path) -> None:
    opening, digest = folder / f"keys.proof.{X}.opening", result_of(folder)["commitments"][X]
    again = folder / "again"
    fields = run_json("prove", folder / "keys", *INPUT, "--opening", opening, "-o", again)
    assert (fields["commitments"], fields["openings"]) == ({X: digest}, [])
    key = folder / "keys" / "verifying.key"
    assert run_json("verify", key, again, "--input-commitment", digest)["valid"]
    result = run("prove", folder / "keys", *INPUT, "--index", 1, "--opening", opening, "-o", again)
    assert (result.exit_code, "has other values" in result.output) == (2, True)


def test_inspect_shows_what_is_hidden(folder: Path) -> None:
    key = run_json("inspect", folder / "keys" / "verifying.key")
    assert [tensor["hidden"] for tensor in key["public"]] == [True, False]
    assert key["commitment_proofs"] >= 16
    assert key["hides"] == f"weights, activations and '{X}'"
    opening = run_json("inspect", folder / f"keys.proof.{X}.opening")
    assert opening["commitment"] == result_of(folder)["commitments"][X]
    assert 0 < opening["rows"] <= opening["rows_allowed"]
    public = run_json("inspect", folder / "keys" / "verifying.key", "--public")
    assert any("commitments" in sentence for sentence in public["of_each_proof"])


def test_names_that_the_model_does_not_have(tmp_path: Path) -> None:
    result = run("setup", MODEL_FILE, *CALIBRATION, "--hide-input", "no", "-o", tmp_path / "keys")
    assert result.exit_code == 2
    assert "has no input 'no' to hide" in result.output
    result = run(
        "setup", MODEL_FILE, *CALIBRATION, "--hide-input", X, "--transparent", "-o", tmp_path / "keys"
    )
    assert (result.exit_code, "transparent keys hide no input" in result.output) == (2, True)
