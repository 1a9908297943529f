"""A command loads what it uses: `verify` no prover, `prove` no set-up, both no tables for people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import deepprove_dist as dp
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.messages import proof as proof_file
from tests.attacks.models import honest_attempt, inputs, make_key, model, prove_fast
from tests.token_keys import token_keys

HEAVY = {"onnx", "onnxruntime", "ray", "rich", "importlib.metadata", "platformdirs", "matplotlib"}
HEAVY |= {"fastapi", "sqlalchemy", "fsspec", "uvicorn", "urllib.request"}
MODEL = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"


def loaded_by(*arguments: str | Path) -> set[str]:
    """The modules that a run of the command loads."""
    script = (
        "import sys; from deepprove_dist.cli import main; main(sys.argv[1:], standalone_mode=False);"
        "print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(run.stderr.split())


def test_verify_loads_neither_onnx_nor_ray_nor_the_prover() -> None:
    imported = loaded_by("verify", "--help")
    assert "deepprove_dist.verifying_key" in imported
    assert not (HEAVY | {"numpy", "deepprove_dist.prover"}) & imported


def test_a_proof_of_committed_weights_is_checked_without_operators(tmp_path: Path) -> None:
    key, proof = make_key(model()), tmp_path / "proof"
    (tmp_path / "key").write_bytes(key_file.dump(key.verifying))
    proof.write_bytes(proof_file.dump(prove_fast(key, honest_attempt(key, inputs()))))
    imported = loaded_by("verify", tmp_path / "key", proof)
    assert "deepprove_dist.protocol.opening.verify" in imported
    packages = ("deepprove_dist.lowering", "deepprove_dist.operators", "deepprove_dist.samples")
    assert not {name for name in imported if name.startswith(packages)}
    assert not (HEAVY | {"numpy", "hashlib"}) & imported


def test_a_generation_is_checked_without_numpy_and_tokenizers(tmp_path: Path) -> None:
    keys = token_keys()
    keys.verifying.save(tmp_path / "key")
    keys.generate([1], max_new_tokens=1).proof.save(tmp_path / "proof")
    imported = loaded_by("verify", tmp_path / "key", tmp_path / "proof", "--prompt-tokens", "1")
    assert "deepprove_dist.generations" in imported
    assert not (HEAVY | {"numpy", "tokenizers"}) & imported


def test_a_proof_is_made_without_what_sets_up_keys(tmp_path: Path) -> None:
    folder, samples = tmp_path / "keys", MODEL / "input.json"
    dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz").save(folder)
    imported = loaded_by("prove", folder, "--input", samples, "-o", tmp_path / "proof")
    assert "deepprove_dist.operators.dense" in imported
    assert not (HEAVY | {"zipfile"}) & imported
    others = ("importing", "quantise", "execution", "operators.softmax", "operators.concat")
    assert not {name for name in imported if name.startswith(tuple(f"deepprove_dist.{o}" for o in others))}


def test_the_program_runs_a_command_and_ends_with_its_status() -> None:
    script = "from deepprove_dist.cli.program import run; run()"
    for arguments, status in ((["--help"], 0), (["no-command"], 2)):
        run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, check=False)
        assert run.returncode == status
