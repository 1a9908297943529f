"""Real proofs on Ray whose workers die or lie: the bytes are the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepprove_dist import api
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster_backend import load_cluster_key
from deepprove_dist.execution.policy import SHARE_ALL
from deepprove_dist.execution.worker_api import KeyWorker
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.kernels import Pool
from deepprove_dist.keys import INTEGER_MODEL

MODEL = Path(__file__).parents[3] / "assets" / "models" / "iris_mlp_d1_w10"
X = np.load(MODEL / "test.npz")["x"][0]


class Mortal(KeyWorker):
    """Dies in the middle of a method, unless the file `mark` says that one has died already."""

    def __init__(self, mark: str, method: str, threads: int) -> None:
        super().__init__(threads)
        self._value_digest, self._method = Path(mark), method

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        answer = super().call(method, arguments)
        if method == self._method and not self._value_digest.exists():
            self._value_digest.touch()
            os._exit(1)
        return answer


class Crook(KeyWorker):
    """Says that its parts of the witness have other roots; only the first worker who asks may."""

    def __init__(self, mark: str, threads: int) -> None:
        super().__init__(threads)
        self._lies = not Path(mark).exists()
        Path(mark).touch()

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        answer = super().call(method, arguments)
        return [bytes(len(root)) for root in answer] if self._lies and method == "commit_witness" else answer


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[api.Keys, Path, bytes]:
    """Keys, their folder and the proof that one process makes."""
    folder = tmp_path_factory.mktemp("keys")
    keys = api.setup(MODEL / "model.onnx", MODEL / "calibration.npz")
    api.save_keys(keys.proving, folder)
    return keys, folder, api.prove(keys.proving, X).proof


def prove(keys: api.Keys, folder: Path, group: WorkerGroup) -> bytes:
    """By the group, everything shared that can be."""
    proving = keys.proving
    shared = load_cluster_key(
        proving.model, folder / INTEGER_MODEL, proving.verifying, group, Pool(1), SHARE_ALL
    )
    return api.prove(shared, X).proof


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("method", ["load", "fold_layer", "open_leaves"])
def test_processes_that_die(keys: tuple[api.Keys, Path, bytes], method: str, tmp_path: Path) -> None:
    made, folder, expected = keys
    mark = tmp_path / "mark"
    with open_worker_group(ClusterOptions(ScalingConfig(2)), partial(Mortal, str(mark), method)) as group:
        assert prove(made, folder, group) == expected
    assert mark.exists()


@pytest.mark.usefixtures("cluster")
def test_a_faulty_worker_is_named_and_the_proof_made_again(
    keys: tuple[api.Keys, Path, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made, folder, expected = keys
    with open_worker_group(ClusterOptions(ScalingConfig(2)), partial(Crook, str(tmp_path / "mark"))) as group:
        assert prove(made, folder, group) == expected
        nodes = {runs_on.node for runs_on in group.descriptions}
    assert "commit_witness" in caplog.text
    assert any(node in caplog.text for node in nodes)
