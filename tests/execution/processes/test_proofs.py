"""Real proofs by processes whose workers die or are faulty: the bytes are the same."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.execution.calls.methods import Method
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import SHARE_ALL
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.execution.phases.worker_api import METHODS
from deepprove_dist.execution.workers.worker import ProcessContext, Worker
from deepprove_dist.kernels import Pool
from deepprove_dist.keys import INTEGER_MODEL

MODEL = Path(__file__).parents[3] / "assets" / "models" / "iris_mlp_d1_w10"
TWO = ClusterOptions(ScalingConfig(2), local=True)
X = np.load(MODEL / "test.npz")["x"][0]


class Mortal(Worker):
    """Dies in the middle of a method, unless the file `flag` says that one has died already."""

    flag: Path
    method: str

    def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        answer = super().call(method, arguments)
        if method.name == self.method and not self.flag.exists():
            self.flag.touch()
            os._exit(1)
        return answer


def mortal(flag: Path, method: str, context: ProcessContext, rank: int) -> Worker:
    worker = Mortal(context, rank, WorkerState(context), METHODS)
    worker.flag, worker.method = flag, method
    return worker


class Wrong(Worker):
    """Says that its parts of the witness have other roots."""

    def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        answer = super().call(method, arguments)
        return [bytes(len(root)) for root in answer] if method.name == "commit_witness" else answer


def one_wrong(flag: Path, context: ProcessContext, rank: int) -> Worker:
    """Only the first worker who asks is faulty."""
    kind = Worker if flag.exists() else Wrong
    flag.touch()
    return kind(context, rank, WorkerState(context), METHODS)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[dp.ProvingKey, Path, bytes]:
    """Keys, their folder and the proof that one process makes."""
    folder = tmp_path_factory.mktemp("keys")
    keys = dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz", transparent=True)
    keys.save(folder)
    return keys, folder, keys.prove(X).content


def prove(keys: dp.ProvingKey, folder: Path, group: WorkerGroup) -> bytes:
    """By the group, everything shared that can be."""
    prover = keys.prover
    shared = load_cluster_prover(
        prover.model, folder / INTEGER_MODEL, prover.verifying, group, Pool(1), SHARE_ALL
    )
    return dp.ProvingKey(shared).prove(X).content


@pytest.mark.parametrize("method", ["load", "fold_layer", "open_leaves"])
def test_processes_that_die(keys: tuple[dp.ProvingKey, Path, bytes], method: str, tmp_path: Path) -> None:
    key, folder, expected = keys
    flag = tmp_path / "flag"
    with open_worker_group(TWO, partial(mortal, flag, method)) as group:
        assert prove(key, folder, group) == expected
    assert flag.exists()


def test_a_faulty_worker_is_named_and_the_proof_made_again(
    keys: tuple[dp.ProvingKey, Path, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, folder, expected = keys
    with open_worker_group(TWO, partial(one_wrong, tmp_path / "flag")) as group:
        assert prove(key, folder, group) == expected
        nodes = {runs_on.node for runs_on in group.descriptions}
    assert "commit_witness" in caplog.text
    assert any(node in caplog.text for node in nodes)
