"""What ranks share, and files they need, on Ray."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pytest

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.cluster.file_cache import cache_folder
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster_backend import load_cluster_key
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.policy import SHARE_ALL
from deepprove_dist.execution.profile import Profile
from deepprove_dist.execution.worker import WorkerFactory
from deepprove_dist.execution.worker_api import KeyWorker
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.kernels import Pool
from tests.execution.dummy import Dummy
from tests.execution.shared_keys import example, large_network

pytestmark = pytest.mark.usefixtures("cluster")


@contextmanager
def group_of(
    config: ScalingConfig, worker: WorkerFactory, peers: bool = True
) -> Iterator[tuple[WorkerGroup, Profile]]:
    from deepprove_dist.execution.cluster.ray_executor import RayExecutor

    executor = RayExecutor(config, call_timeout=60.0, worker=worker, peers=peers)
    profile = Profile()
    try:
        yield WorkerGroup(executor, profile=profile), profile
    finally:
        executor.close()


def exchange(group: WorkerGroup) -> list[int]:
    return list(group.exchange("give", "take", range(group.size), {"weight": 1}).values())


def sums(group: WorkerGroup, killed: int | None = None) -> list[list[int]]:
    """Two exchanges of 20 MB a rank; a process is killed between them."""
    group.call_all("resize", size=20_000_000)
    group.call("load", {rank: {"number": rank + 1} for rank in range(group.size)})
    processes = []
    if killed is not None:
        with group.proof():  # process numbers are no function of the calls: not to be replayed
            processes = group.call_all("process")
    with group.proof():
        first = exchange(group)
        if killed is not None:
            os.kill(processes[killed], signal.SIGKILL)
        return [first, exchange(group)]


@pytest.mark.parametrize("killed", [None, 1])
def test_workers_share_over_sockets(killed: int | None) -> None:
    expected = sums(WorkerGroup(InProcessExecutor(3, worker=Dummy)))
    with group_of(ScalingConfig(3), Dummy) as (group, profile):
        assert sums(group, killed) == expected
    taken = [list(each.shares.values()) for each in profile.rounds if each.method == "take"]
    # Where a rank was lost the others took nothing, and all had it from the coordinator.
    by_peers = [all(own.fetched > 40_000_000 and own.bytes_out < 2000 for own in shares) for shares in taken]
    assert by_peers == ([True, True] if killed is None else [True, False, False])


def test_without_peers_it_goes_through_the_coordinator() -> None:
    expected = sums(WorkerGroup(InProcessExecutor(2, worker=Dummy)))
    with group_of(ScalingConfig(2), Dummy, peers=False) as (group, profile):
        assert sums(group) == expected
    taken = [share for each in profile.rounds if each.method == "take" for share in each.shares.values()]
    assert all(share.fetched == 0 and share.bytes_out > 40_000_000 for share in taken)


def test_a_proof_by_workers_that_do_not_see_the_models_path(tmp_path: Path) -> None:
    large = example(large_network(), tmp_path, profile="small")
    with large.path.open("rb") as file, group_of(ScalingConfig(3), KeyWorker) as (group, _):
        # Only this process has the file under this name.
        path = Path(f"/proc/self/fd/{file.fileno()}")
        shared = load_cluster_key(large.key.model, path, large.key.verifying, group, Pool(1), SHARE_ALL)
        kept = cache_folder() / large.key.verifying.model_digest.hex()
        assert kept.read_bytes() == large.path.read_bytes()
        assert large.prove(shared) == large.proof


def test_a_replacement_gets_the_file_before_its_calls(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    digest = blake2b(content, digest_size=32).digest()
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file, group_of(ScalingConfig(2), Dummy) as (group, _):
        group.distribute(Path(f"/proc/self/fd/{file.fileno()}"), digest)
        assert group.call_all("has_file", digest=digest) == [True, True]
        with group.proof():
            processes = group.call_all("process")
        (cache_folder() / digest.hex()).unlink()
        os.kill(processes[0], signal.SIGKILL)
        assert group.call("has_file", {0: {"digest": digest}}) == {0: True}
        assert (cache_folder() / digest.hex()).read_bytes() == content


def test_a_node_that_cannot_keep_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with (
        path.open("rb") as file,
        group_of(ScalingConfig(1), Dummy) as (group, _),
        pytest.raises(ExecutionError, match=r"cannot keep the model's file: .*other bytes"),
    ):
        group.distribute(Path(f"/proc/self/fd/{file.fileno()}"), bytes(32))
