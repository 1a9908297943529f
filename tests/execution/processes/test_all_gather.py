"""What ranks of processes share, over sockets and through the coordinator."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.processes.local_launcher import LocalLauncher
from deepprove_dist.execution.processes.process_executor import ProcessExecutor
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_OUT
from tests.execution.dummy import Dummy, counts_by_round, dummy


@contextmanager
def group_of(count: int, peers: bool = True) -> Iterator[tuple[WorkerGroup, Trace]]:
    executor = ProcessExecutor(LocalLauncher(), count, dummy, peers=peers)
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
    with group_of(3) as (group, trace):
        assert sums(group, killed) == expected
    # Where a rank was lost the others fetched nothing, and all had it from the coordinator.
    by_peers = [
        all(counts[BYTES_FETCHED] > 40_000_000 and counts[BYTES_OUT] < 2000 for counts in ranks)
        for ranks in counts_by_round(trace, "take")
    ]
    assert by_peers == ([True, True] if killed is None else [True, False, False])


def test_without_peers_it_goes_through_the_coordinator() -> None:
    expected = sums(WorkerGroup(InProcessExecutor(2, dummy)))
    with group_of(2, peers=False) as (group, trace):
        assert sums(group) == expected
    (first, second) = counts_by_round(trace, "take")
    assert all(counts[BYTES_FETCHED] == 0 and counts[BYTES_OUT] > 40_000_000 for counts in (*first, *second))
