"""One proof by several workers, all in this process: the bytes are those of one machine.

On a cluster, Ray runs the workers: see `open_worker_group` in `deepprove_dist.execution.cluster`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import deepprove_dist as dp
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker

MODEL = Path(__file__).parents[1] / "assets" / "models" / "digits_mlp"
WORKERS = 4


def main() -> None:
    """Proves one answer alone and by a group, and compares the bytes."""
    picture = np.load(MODEL / "test.npz")["x"][0]
    with tempfile.TemporaryDirectory() as folder:
        # A hiding proof draws new random values each time, so that two of them differ.
        keys = dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz", transparent=True)
        keys.save(folder)
        group = WorkerGroup(InProcessExecutor(WORKERS, create_worker))
        shared = dp.ProvingKey.load(folder, workers=group)
        alone, together = bytes(keys.prove(picture)), bytes(shared.prove(picture))
    print(f"{WORKERS} workers, {len(together):,} bytes, the same as alone: {together == alone}")


if __name__ == "__main__":
    main()
