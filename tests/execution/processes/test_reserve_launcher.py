"""Where a cluster has no worker left, one process of the coordinator's machine takes all ranks."""

from __future__ import annotations

import os
import signal
from contextlib import closing

import pytest

from deepprove_dist.errors import ExecutionError, PlacementError
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.processes.launcher import Start
from deepprove_dist.execution.processes.local_launcher import LocalLauncher
from deepprove_dist.execution.processes.process_executor import ProcessExecutor
from deepprove_dist.execution.processes.reserve_launcher import ReserveLauncher
from tests.execution.dummy import Dummy, dummy


class Lost(LocalLauncher):
    """A cluster that starts two processes and no further one."""

    def start(self, slot: int, start: Start) -> None:
        if start.number >= 2:
            raise PlacementError("the cluster is gone")
        super().start(slot, start)


def test_all_ranks_go_on_in_the_reserve() -> None:
    log = RecoveryLog()
    launcher = ReserveLauncher(Lost(), LocalLauncher())
    with closing(ProcessExecutor(launcher, 2, dummy, log=log)) as executor:
        group = WorkerGroup(executor, log=log)
        group.call_all(Dummy.add, number=1)
        with group.proof():
            before = group.call_all(Dummy.process)
        for process in before:
            os.kill(process, signal.SIGKILL)
        assert group.call_all(Dummy.add, number=1) == [2, 2]
        with group.proof():
            (after,) = set(group.call_all(Dummy.process))
        assert after not in before
        assert [loss.action for loss in log.losses] == ["moved", "moved"]
        assert any("one process of this machine takes all parts" in text for text in log.fallbacks)
        # It may be lost itself, and there is another one.
        os.kill(after, signal.SIGKILL)
        assert group.call_all(Dummy.add, number=1) == [3, 3]


def test_without_a_reserve_the_work_ends() -> None:
    with closing(ProcessExecutor(Lost(), 2, dummy)) as executor:
        group = WorkerGroup(executor)
        with group.proof():
            before = group.call_all(Dummy.process)
        for process in before:
            os.kill(process, signal.SIGKILL)
        with pytest.raises(ExecutionError, match="no worker is alive; this machine has"):
            group.call_all(Dummy.add, number=1)
