"""The Python interface: every form of what it takes, what it gives, and what it says of a user's mistakes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import deepprove_dist as dp
from deepprove_dist.importing.sources import ModelSource
from deepprove_dist.samples.sources import SampleSource

FOLDER = Path(__file__).parents[1] / "assets" / "models" / "iris_mlp_d1_w10"
MODEL = FOLDER / "model.onnx"
CALIBRATION = FOLDER / "calibration.npz"
X = np.load(CALIBRATION)["x"]


@pytest.fixture(scope="module")
def keys() -> dp.SetupResult:
    return dp.setup(MODEL, X, threads=1, transparent=True)


@pytest.fixture(scope="module")
def proof(keys: dp.ProvingKey) -> dp.ProofResult:
    return keys.prove(X[0], context=b"nonce")


@pytest.fixture(scope="module")
def folder(keys: dp.ProvingKey, proof: dp.Proof, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, a `proof` and an empty file."""
    folder = tmp_path_factory.mktemp("interface")
    keys.save(folder / "keys")
    proof.save(folder / "proof")
    (folder / "empty").touch()
    return folder


def test_everything_that_is_exported_is_there() -> None:
    for name in dp.__all__:
        assert getattr(dp, name).__name__ == name
    assert dir(dp) == dp.__all__


def test_importing_the_package_loads_nothing() -> None:
    script = "import sys, deepprove_dist; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "onnx", "ray", "click", "deepprove_dist.kernels"} & set(run.stdout.split())


def test_verifying_loads_neither_onnx_nor_ray_nor_the_prover(folder: Path) -> None:
    script = (
        "import sys, deepprove_dist as dp;"
        "dp.VerifyingKey.load(sys.argv[1]).verify(dp.Proof.load(sys.argv[2]));"
        "print(*sys.modules)"
    )
    files = [str(folder / "keys" / "verifying.key"), str(folder / "proof")]
    command = [sys.executable, "-c", script, *files]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy = {"onnx", "onnxruntime", "ray", "click", "rich"}
    proving = {f"deepprove_dist.{part}" for part in ("prover", "operators", "importing", "lowering")}
    assert not (heavy | proving) & set(run.stdout.split())


@pytest.mark.parametrize(
    "model", [str(MODEL), MODEL, MODEL.read_bytes(), onnx.load(MODEL)], ids=["text", "path", "bytes", "proto"]
)
def test_a_model_is_a_path_bytes_or_a_proto(keys: dp.ProvingKey, model: ModelSource) -> None:
    before = model.SerializeToString() if isinstance(model, onnx.ModelProto) else b""
    assert dp.setup(model, X, threads=1, transparent=True).verifying.digest == keys.verifying.digest
    assert dp.estimate(model) == dp.estimate(MODEL)
    if isinstance(model, onnx.ModelProto):
        assert model.SerializeToString() == before


def test_samples_may_be_arrays_or_a_file(keys: dp.ProvingKey) -> None:
    (tensor,) = keys.model.inputs
    forms: list[SampleSource] = [str(CALIBRATION), CALIBRATION, X.reshape(len(X), -1), {tensor.name: X}]
    for source in (*forms, dp.Samples({tensor.name: X})):
        assert dp.setup(MODEL, source, threads=1, transparent=True).verifying.digest == keys.verifying.digest


def test_keys_and_proofs_go_through_files(keys: dp.ProvingKey, proof: dp.ProofResult, folder: Path) -> None:
    again = dp.ProvingKey.load(folder / "keys", threads=1)
    assert again.prove(X[0], context=b"nonce").content == proof.content
    key = dp.VerifyingKey.load(folder / "keys" / "verifying.key")
    assert key == keys.verifying
    key.save(folder / "another.key")
    assert dp.VerifyingKey.load(folder / "another.key").digest == key.digest
    loaded = dp.Proof.load(folder / "proof")
    assert bytes(loaded) == proof.content
    for form in (proof, loaded, proof.content, key.read_proof(folder / "proof")):
        statement = key.verify(form, context=b"nonce", key_digest=key.digest)
        assert all((statement.output[name] == values).all() for name, values in proof.output.items())


def test_expected_values_may_have_the_forms_of_inputs(keys: dp.ProvingKey, proof: dp.ProofResult) -> None:
    key, (name,) = keys.verifying, (tensor.name for tensor in keys.verifying.inputs)
    for values in (X[0], X[0].ravel(), X[:1], {name: X[0]}):
        key.verify(proof, input=values, output=proof.output)
        assert keys.infer(values).output.keys() == proof.output.keys()
        assert (keys.prove(values, context=b"nonce")).content == proof.content
    with pytest.raises(dp.VerificationError, match="input"):
        key.verify(proof, input=X[1])
    with pytest.raises(dp.InputError, match="the shape"):
        key.verify(proof, input=X[0].ravel()[:2])
    with pytest.raises(dp.InputError, match="outputs are"):
        key.verify(proof, output={"none": X[0]})


def test_public_weights_verify_with_their_model(tmp_path: Path) -> None:
    keys = dp.setup(MODEL, X, weights="public", threads=1)
    keys.save(tmp_path)
    proof = keys.prove(X[0])
    keys.verifying.verify(proof)
    dp.VerifyingKey.load(tmp_path / "verifying.key", model=tmp_path / "model.integer").verify(proof)
    with pytest.raises(dp.InputError, match=r"model=\.\.\."):
        dp.VerifyingKey.load(tmp_path / "verifying.key").verify(proof)
    with pytest.raises(dp.FormatError, match="is not the integer model"):
        dp.VerifyingKey.load(tmp_path / "verifying.key", model=MODEL)


def test_an_inexact_float_output_is_not_what_is_proven(keys: dp.SetupResult, proof: dp.ProofResult) -> None:
    assert keys.report.parameters == 83
    assert proof.proving_ms > 0
    assert keys.verifying.security().total_bits >= 100
    assert asdict(dp.estimate(MODEL))["parameters"] == 83


def test_representations_are_short(keys: dp.SetupResult, proof: dp.ProofResult, folder: Path) -> None:
    statement = keys.verifying.verify(proof)
    loaded = dp.Proof.load(folder / "proof")
    shown = [keys, keys.verifying, keys.model, proof, loaded, statement, keys.infer(X), dp.Samples({"x": X})]
    for value in shown:
        assert repr(value).startswith(f"{type(value).__name__}(")
        assert len(repr(value)) < 300
    assert repr(loaded) == f"Proof({len(loaded):,} bytes)"
    assert "83 parameters" in repr(keys)


API: Any = dp
"""Mistakes that a type checker would see are made all the same."""

Mistake = Callable[[Any, Any, Path], object]

MISTAKES: list[tuple[str, Mistake, type[Exception], str]] = [
    ("a model that is none", lambda k, p, f: API.setup(5, X), dp.KindError, "ModelProto, not int"),
    ("an array as the model", lambda k, p, f: API.estimate(X), dp.KindError, "not ndarray"),
    ("bytes that are no model", lambda k, p, f: API.setup(b"onnx", X), dp.ModelError, "no ONNX model"),
    ("an empty proto", lambda k, p, f: API.setup(onnx.ModelProto(), X), dp.ModelError, "not a valid ONNX"),
    ("a number as samples", lambda k, p, f: API.setup(MODEL, 5), dp.SamplesError, "dp.Samples, .*not int"),
    ("no samples", lambda k, p, f: API.setup(MODEL, None), dp.SamplesError, "samples are needed"),
    ("other rows", lambda k, p, f: API.setup(MODEL, np.zeros((3, 7))), dp.SamplesError, "rows of shape"),
    ("a number in an array", lambda k, p, f: API.setup(MODEL, np.zeros(())), dp.SamplesError, "no samples"),
    ("texts", lambda k, p, f: API.setup(MODEL, np.array(["a", "b"])), dp.SamplesError, "not numbers"),
    ("another name", lambda k, p, f: API.setup(MODEL, {"z": X}), dp.SamplesError, "the model's inputs are"),
    (
        "samples of another model",
        lambda k, p, f: API.setup(MODEL, API.Samples({"z": X})),
        dp.SamplesError,
        "the model's inputs are",
    ),
    (
        "keys of a key",
        lambda k, p, f: API.ProvingKey(k),
        dp.KindError,
        r"ProvingKey\.load\(folder\), not SetupResult",
    ),
    (
        "proving with a verifying key",
        lambda k, p, f: API.ProvingKey(k.verifying),
        dp.KindError,
        "not VerifyingKey",
    ),
    (
        "a verifying key as the folder",
        lambda k, p, f: API.ProvingKey.load(f / "keys" / "verifying.key"),
        dp.InputError,
        "is a verifying key, which alone cannot prove; give the folder",
    ),
    ("a folder without keys", lambda k, p, f: API.ProvingKey.load(f), dp.InputError, "no folder of keys"),
    (
        "a number as the folder",
        lambda k, p, f: API.ProvingKey.load(3),
        dp.KindError,
        "the folder that .*not int",
    ),
    (
        "no threads",
        lambda k, p, f: API.ProvingKey.load(f / "keys", threads=0),
        dp.ChoiceError,
        "from 1 to 1024",
    ),
    (
        "a group that is none",
        lambda k, p, f: API.ProvingKey.load(f / "keys", workers=4),
        dp.KindError,
        "a group of workers.*not int",
    ),
    (
        "a folder as the key",
        lambda k, p, f: API.VerifyingKey.load(f / "keys"),
        dp.InputError,
        "is a folder; give its file .*verifying.key",
    ),
    (
        "a model as the key",
        lambda k, p, f: API.VerifyingKey.load(f / "keys" / "model.integer"),
        dp.FormatError,
        "is an integer model; expected a verifying key",
    ),
    (
        "a proof as the key",
        lambda k, p, f: API.VerifyingKey.load(f / "proof"),
        dp.FormatError,
        "is a proof; expected a verifying key",
    ),
    ("a key as a path", lambda k, p, f: API.VerifyingKey.load(k.verifying), dp.KindError, "not VerifyingKey"),
    (
        "a path in place of a key",
        lambda k, p, f: API.VerifyingKey.verify(str(f / "keys" / "verifying.key"), p),
        API.KindError,
        r"VerifyingKey\.load\(path\), not str",
    ),
    (
        "a key's path as its content",
        lambda k, p, f: API.VerifyingKey(f / "keys" / "verifying.key"),
        API.KindError,
        r"VerifyingKey\.load\(path\), not PosixPath",
    ),
    (
        "a path as the proof",
        lambda k, p, f: k.verifying.verify(str(f / "proof")),
        dp.KindError,
        r"not a path; read it with Proof\.load",
    ),
    ("a number as the proof", lambda k, p, f: k.verifying.verify(5), dp.KindError, "a proof.*not int"),
    ("a key as the proof", lambda k, p, f: k.verifying.verify(k), dp.KindError, "not SetupResult"),
    ("bytes that are no proof", lambda k, p, f: k.verifying.verify(b"proof"), dp.FormatError, "proof"),
    ("a text as context", lambda k, p, f: k.verifying.verify(p, context="nonce"), dp.KindError, "not str"),
    ("a text as digest", lambda k, p, f: k.verifying.verify(p, key_digest="00"), dp.KindError, "not str"),
    (
        "a key's file as the proof",
        lambda k, p, f: API.Proof.load(f / "keys" / "verifying.key"),
        dp.FormatError,
        "is a verifying key; expected a proof",
    ),
    (
        "an empty proof",
        lambda k, p, f: API.Proof.load(f / "empty"),
        dp.FormatError,
        "no file of this package",
    ),
    ("a text as a proof", lambda k, p, f: API.Proof("proof"), dp.KindError, "the bytes of a proof, not str"),
    ("a proof saved nowhere", lambda k, p, f: p.save(None), dp.KindError, "a path.*not NoneType"),
    ("a path as the input", lambda k, p, f: k.prove("input.json"), dp.KindError, r"read_inputs\(path\)"),
    ("two models' inputs", lambda k, p, f: k.prove({"z": X[0]}), dp.InputError, "inputs are"),
    ("an input of another shape", lambda k, p, f: k.prove(np.zeros(7)), dp.SamplesError, "a sample has"),
    ("too many samples", lambda k, p, f: k.prove(X[:2]), dp.InputError, "max_batch"),
    ("a text bound", lambda k, p, f: k.prove(X[0], context="nonce"), dp.KindError, "bytes, not str"),
    ("a model to inspect", lambda k, p, f: API.inspect(MODEL), dp.FormatError, "neither a key, a proof nor"),
    ("keys to inspect", lambda k, p, f: API.inspect(k), dp.KindError, "not SetupResult"),
    ("keys to audit", lambda k, p, f: API.audit(k, MODEL), dp.KindError, "the folder.*not SetupResult"),
    (
        "samples beside an integer model",
        lambda k, p, f: API.audit(f / "keys", f / "keys" / "model.integer", samples=X),
        dp.InputError,
        "samples are for an ONNX model",
    ),
]


@pytest.mark.parametrize(
    ("mistake", "error", "text"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_one_clear_sentence(
    keys: dp.SetupResult, proof: dp.ProofResult, folder: Path, mistake: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        mistake(keys, proof, folder)
    assert isinstance(caught.value, dp.DeepProveError)
    # Sentences of the library name Python's arguments, not options of the command line.
    assert "--" not in str(caught.value)


def test_an_audit_is_a_report(folder: Path) -> None:
    assert dp.audit(folder / "keys", MODEL, threads=1) == dp.AuditReport("random", ())
    report = dp.audit(folder / "keys", onnx.load(MODEL), samples=X, threads=1)
    assert (report.same, report.inputs) == (True, "samples")
    other = dp.audit(folder / "keys", FOLDER.parent / "iris_mlp_d4_w128" / "model.onnx", threads=1)
    assert not other.same


def test_inspecting_gives_dataclasses(keys: dp.ProvingKey, proof: dp.Proof, folder: Path) -> None:
    key = dp.inspect(folder / "keys" / "verifying.key")
    assert isinstance(key, dp.KeyDescription)
    assert key.digest == keys.verifying.digest.hex()
    described = dp.inspect(folder / "proof")
    assert isinstance(described, dp.ProofDescription)
    assert described.bytes == len(proof)
    model = dp.inspect(folder / "keys" / "model.integer")
    assert isinstance(model, dp.ModelDescription)
    assert model.parameters == 83
