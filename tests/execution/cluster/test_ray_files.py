"""Files of the coordinator's machine for nodes that do not have them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pytest

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import SHARE_ALL
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.file_cache import cache_folder
from deepprove_dist.execution.workers.worker import WorkerFactory
from deepprove_dist.kernels import Pool
from tests.execution.dummy import Dummy, dummy
from tests.execution.shared_keys import example, large_network

pytestmark = pytest.mark.usefixtures("cluster")


@contextmanager
def group_of(config: ScalingConfig, worker: WorkerFactory = dummy) -> Iterator[WorkerGroup]:
    with open_worker_group(ClusterOptions(config, call_timeout=60.0), worker) as group:
        yield group


def test_a_proof_by_workers_that_do_not_see_the_models_path(tmp_path: Path) -> None:
    large = example(large_network(), tmp_path, objective="small")
    with large.path.open("rb") as file, group_of(ScalingConfig(3), create_worker) as group:
        # Only this process has the file under this name.
        path = Path(f"/proc/self/fd/{file.fileno()}")
        shared = load_cluster_prover(large.key.model, path, large.key.verifying, group, Pool(1), SHARE_ALL)
        cached = cache_folder() / large.key.verifying.model_digest.hex()
        assert cached.read_bytes() == large.path.read_bytes()
        assert large.prove(shared) == large.proof


def test_a_replacement_gets_the_file_before_its_calls(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    digest = blake2b(content, digest_size=32).digest()
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file, group_of(ScalingConfig(2)) as group:
        group.distribute(Path(f"/proc/self/fd/{file.fileno()}"), digest)
        assert group.call_all(Dummy.has_file, digest=digest) == [True, True]
        with group.proof():
            processes = group.call_all(Dummy.process)
        (cache_folder() / digest.hex()).unlink()
        os.kill(processes[0], signal.SIGKILL)
        assert group.call({0: Call.to(Dummy.has_file, digest=digest)}) == {0: True}
        assert (cache_folder() / digest.hex()).read_bytes() == content


def test_a_node_that_cannot_keep_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with (
        path.open("rb") as file,
        group_of(ScalingConfig(1)) as group,
        pytest.raises(ExecutionError, match=r"cannot take the model's file: .*other bytes"),
    ):
        group.distribute(Path(f"/proc/self/fd/{file.fileno()}"), bytes(32))
