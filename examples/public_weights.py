"""One proof for a batch of inputs, of a model whose weights are public.

The verifier has the integer model, but does not run it. A batch costs much less than its proofs one by one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import deepprove_dist as dp

MODEL = Path(__file__).parents[1] / "assets" / "models" / "digits_mlp"
BATCH = 16


def main() -> None:
    """Proves sixteen answers at once, and one alone, and compares what they cost."""
    test = np.load(MODEL / "test.npz")
    with tempfile.TemporaryDirectory() as folder:
        keys = dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz", weights="public", max_batch=BATCH)
        keys.save(folder)
        batch = keys.prove(test["x"][:BATCH], context=b"digits of today")
        alone = keys.prove(test["x"][0])
        for name, proof, count in (("one input", alone, 1), (f"{BATCH} inputs", batch, BATCH)):
            print(f"{name}: {proof.proving_ms / count:.1f} ms and {len(proof) / count:,.0f} bytes an input")

        # The model's digest is in the key, so that no other model passes.
        key = dp.VerifyingKey.load(Path(folder) / "verifying.key", model=Path(folder) / "model.integer")
        (output,) = key.verify(batch, context=b"digits of today").output.values()
    right = int(np.sum(np.argmax(output.reshape(BATCH, -1), axis=1) == test["y"][:BATCH]))
    print(f"{right} of {BATCH} digits are right, and proven.")


if __name__ == "__main__":
    main()
