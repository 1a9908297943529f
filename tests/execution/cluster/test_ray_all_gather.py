"""What ranks share, and files they need, on Ray."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path

import pytest

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.cluster.file_cache import cache_folder
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import SHARE_ALL
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.worker import WorkerFactory
from deepprove_dist.kernels import Pool
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_OUT
from tests.execution.dummy import Dummy, counts_by_round, dummy
from tests.execution.shared_keys import example, large_network

pytestmark = pytest.mark.usefixtures("cluster")


@contextmanager
def group_of(
    config: ScalingConfig, worker: WorkerFactory = dummy, peers: bool = True
) -> Iterator[tuple[WorkerGroup, Trace]]:
    from deepprove_dist.execution.cluster.ray_executor import RayExecutor

    executor = RayExecutor(config, call_timeout=60.0, worker=worker, peers=peers)
    with closing(executor), recording(Trace()) as trace:
        yield WorkerGroup(executor), trace


def gather(group: WorkerGroup) -> list[int]:
    return group.all_gather(Dummy.give, Dummy.take, weight=1)


def sums(group: WorkerGroup, killed: int | None = None) -> list[list[int]]:
    """Two all-gathers of 20 MB a rank; a process is killed between them."""
    group.call_all(Dummy.resize, size=20_000_000)
    group.call({rank: Call.to(Dummy.load, number=rank + 1) for rank in group.ranks})
    processes = []
    if killed is not None:
        with group.proof():  # process numbers are no function of the calls: not to be replayed
            processes = group.call_all(Dummy.process)
    with group.proof():
        first = gather(group)
        if killed is not None:
            os.kill(processes[killed], signal.SIGKILL)
        return [first, gather(group)]


@pytest.mark.parametrize("killed", [None, 1])
def test_workers_share_over_sockets(killed: int | None) -> None:
    expected = sums(WorkerGroup(InProcessExecutor(3, dummy)))
    with group_of(ScalingConfig(3)) as (group, trace):
        assert sums(group, killed) == expected
    # Where a rank was lost the others fetched nothing, and all had it from the coordinator.
    by_peers = [
        all(counts[BYTES_FETCHED] > 40_000_000 and counts[BYTES_OUT] < 2000 for counts in ranks)
        for ranks in counts_by_round(trace, "take")
    ]
    assert by_peers == ([True, True] if killed is None else [True, False, False])


def test_without_peers_it_goes_through_the_coordinator() -> None:
    expected = sums(WorkerGroup(InProcessExecutor(2, dummy)))
    with group_of(ScalingConfig(2), peers=False) as (group, trace):
        assert sums(group) == expected
    (first, second) = counts_by_round(trace, "take")
    assert all(counts[BYTES_FETCHED] == 0 and counts[BYTES_OUT] > 40_000_000 for counts in (*first, *second))


def test_a_proof_by_workers_that_do_not_see_the_models_path(tmp_path: Path) -> None:
    large = example(large_network(), tmp_path, objective="small")
    with large.path.open("rb") as file, group_of(ScalingConfig(3), create_worker) as (group, _):
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
    with (tmp_path / "file").open("rb") as file, group_of(ScalingConfig(2)) as (group, _):
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
        group_of(ScalingConfig(1)) as (group, _),
        pytest.raises(ExecutionError, match=r"cannot store the model's file: .*other bytes"),
    ):
        group.distribute(Path(f"/proc/self/fd/{file.fileno()}"), bytes(32))
