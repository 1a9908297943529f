"""`deepprove-dist verify` starts without what only a prover needs."""

from __future__ import annotations

import subprocess
import sys


def test_verify_loads_neither_onnx_nor_ray_nor_the_prover() -> None:
    script = (
        "import sys; from deepprove_dist.cli import main; main(['verify', '--help'], standalone_mode=False);"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(run.stderr.split())
    assert "deepprove_dist.verifier" in imported
    heavy = {"onnx", "onnxruntime", "ray", "rich", "deepprove_dist.api", "deepprove_dist.prover"}
    assert not heavy & imported
