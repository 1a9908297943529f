"""`deepprove-dist verify` starts, and checks proofs of committed weights, without what a prover needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.messages import proof as proof_file
from tests.attacks.models import honest_attempt, inputs, make_key, model, prove_fast


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
    heavy = {"onnx", "onnxruntime", "ray", "rich", "deepprove_dist.prover"}
    assert not heavy & imported


def test_a_proof_of_committed_weights_is_checked_without_operators(tmp_path: Path) -> None:
    key, proof = make_key(model()), tmp_path / "proof"
    (tmp_path / "key").write_bytes(key_file.dump(key.verifying))
    proof.write_bytes(proof_file.dump(prove_fast(key, honest_attempt(key, inputs()))))
    imported = loaded_by("verify", tmp_path / "key", proof)
    assert "deepprove_dist.protocol.opening.verify" in imported
    packages = ("deepprove_dist.lowering", "deepprove_dist.operators")
    assert not {name for name in imported if name.startswith(packages)}
