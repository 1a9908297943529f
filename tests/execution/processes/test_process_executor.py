"""What the executor does with what launchers say."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import pytest

from deepprove_dist.errors import PlacementError
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.processes.launcher import Start, Stored
from deepprove_dist.execution.processes.local_launcher import LocalLauncher
from deepprove_dist.execution.processes.process_executor import ProcessExecutor
from tests.execution.dummy import Dummy, dummy


class Full(LocalLauncher):
    """One machine of a cluster, whose disk takes nothing."""

    def store(self, path: Path, digest: bytes, processes: Collection[int]) -> Stored:
        return Stored({}, {"host 3": "No space left on device"})


def test_a_full_disk_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, log = tmp_path / "model", RecoveryLog()
    path.write_bytes(b"a model")
    with closing(ProcessExecutor(Full(), 1, dummy, log=log)) as executor:
        # Processes find other bytes at the path than these.
        WorkerGroup(executor, log=log).distribute(path, blake2b(b"another", digest_size=32).digest())
    (line,) = log.report()["fallbacks"]
    assert line == (
        "host 3 cannot keep the model's file (No space left on device): its workers have it in their memory"
    )
    assert line in caplog.text


def test_of_processes_that_are_gone_nothing_stays() -> None:
    with closing(ProcessExecutor(LocalLauncher(), 1, dummy)) as executor:
        group = WorkerGroup(executor)
        for _ in range(2):
            with group.proof():
                (process,) = group.call_all(Dummy.process)
            os.kill(process, signal.SIGKILL)
        with group.proof():
            group.call_all(Dummy.process)
        assert len(executor._reports) == 1


class Slow(LocalLauncher):
    """A cluster that says after a while that it has no room for more than it had; it counts how often."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.asked = room, 0

    def start(self, slot: int, start: Start) -> None:
        if not self.room:
            self.asked += 1
            raise PlacementError("no room")
        self.room -= 1
        super().start(slot, start)


@pytest.mark.parametrize("room", [0, 1])
def test_a_cluster_without_room_is_asked_once(room: int) -> None:
    """It may take seconds to say so, for each of sixteen workers."""
    launcher = Slow(4)
    with closing(ProcessExecutor(launcher, 4, dummy)) as executor:
        group = WorkerGroup(executor)
        group.call_all(Dummy.add, number=1)
        with group.proof():
            processes = group.call_all(Dummy.process)
        launcher.room = room
        for process in processes[1:]:
            os.kill(process, signal.SIGKILL)
        assert group.call_all(Dummy.add, number=1) == [2] * 4
        assert launcher.asked == 1
        actions = [loss.action for loss in group.recovery.losses]
        assert actions == ["replaced"] * room + ["moved"] * (3 - room)
        assert len(group.recovery.fallbacks) == 1


def test_others_get_a_large_message_that_a_dead_process_does_not_take() -> None:
    """Messages of this size are sent by a thread each."""
    with closing(ProcessExecutor(LocalLauncher(), 3, dummy)) as executor:
        group, data = WorkerGroup(executor), bytes(1 << 20)
        with group.proof():
            processes = group.call_all(Dummy.process)
        os.kill(processes[1], signal.SIGKILL)
        assert group.call_all(Dummy.echo, data=data) == [data] * 3
        assert [loss.worker for loss in group.recovery.losses] == [1]
