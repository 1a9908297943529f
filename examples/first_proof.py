"""A first proof: set up a small network, prove one answer, and verify it with the key alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import deepprove_dist as dp

MODEL = Path(__file__).parents[1] / "assets" / "models" / "digits_mlp"


def main() -> None:
    """Proves which digit is on a picture of 8 x 8 pixels."""
    test = np.load(MODEL / "test.npz")
    picture, label = test["x"][0], int(test["y"][0])
    with tempfile.TemporaryDirectory() as folder:
        prove(picture, Path(folder))
        digit = verify(Path(folder))
    print(f"The proof says {digit}; the label is {label}.")


def prove(picture: np.ndarray, folder: Path) -> None:
    """The prover's side: writes keys and a proof. Only `verifying.key` and the proof leave the folder."""
    keys = dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz")
    print(f"Set-up: {keys.report.parameters:,} weights, {keys.report.setup_ms:.0f} ms for the keys")
    proof = keys.prove(picture)
    print(f"Proof: {len(proof):,} bytes, {proof.proving_ms:.1f} ms")
    keys.save(folder)
    proof.save(folder / "proof")


def verify(folder: Path) -> int:
    """The verifier's side: the digit with the largest output, once the proof is accepted."""
    key = dp.VerifyingKey.load(folder / "verifying.key")
    statement = key.verify(dp.Proof.load(folder / "proof"))
    (output,) = statement.output.values()
    return int(np.argmax(output))


if __name__ == "__main__":
    main()
