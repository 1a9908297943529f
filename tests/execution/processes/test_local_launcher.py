"""Ranks in plain processes of this machine: the dead, the frozen and the hanging are replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deepprove_dist.errors import PlacementError
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.processes import socket_channel
from deepprove_dist.execution.processes.local_launcher import LocalLauncher
from deepprove_dist.execution.processes.process_executor import ProcessExecutor
from deepprove_dist.execution.workers.worker import Worker, WorkerFactory
from tests.execution.dummy import Dummy, dummy, one_faulty, trusted, worker_of


@contextmanager
def workers(
    count: int, call_timeout: float = 60.0, worker: WorkerFactory = dummy, silence: float = 10.0
) -> Iterator[WorkerGroup]:
    executor = ProcessExecutor(LocalLauncher(), count, worker, call_timeout=call_timeout, silence=silence)
    with closing(executor):
        yield WorkerGroup(executor)


def processes(group: WorkerGroup) -> list[int]:
    with group.proof():  # process numbers are no function of the calls: not to be replayed
        return group.call_all(Dummy.process)


def test_answers_are_those_of_workers_in_process() -> None:
    def answers(group: WorkerGroup) -> list[object]:
        sums = [
            group.call({rank: Call.to(Dummy.add, number=rank + step) for rank in (0, 1)}) for step in (1, 2)
        ]
        return [*sums, group.all_gather(Dummy.give, Dummy.take, weight=2)]

    expected = answers(WorkerGroup(InProcessExecutor(2, dummy)))
    with workers(2) as group:
        assert answers(group) == expected
        living = processes(group)
        assert os.getpid() not in living
    assert not any(Path(f"/proc/{process}").exists() for process in living)


def test_a_killed_process_is_replaced_within_two_seconds(caplog: pytest.LogCaptureFixture) -> None:
    with workers(2) as group:
        group.call_all(Dummy.add, number=1)
        os.kill(processes(group)[1], signal.SIGKILL)
        begin = time.monotonic()
        assert group.call_all(Dummy.add, number=1) == [2, 2]
        assert time.monotonic() - begin < 5  # of which this machine's load may take some
    assert "its process was ended by SIGKILL" in caplog.text


def test_all_processes_at_once_are_replaced() -> None:
    with workers(3) as group:
        group.call_all(Dummy.add, number=1)
        before = processes(group)
        for process in before:
            os.kill(process, signal.SIGKILL)
        assert group.call_all(Dummy.add, number=1) == [2, 2, 2]
        assert len({*before, *processes(group)}) == 6
        assert [loss.action for loss in group.recovery.losses] == ["replaced"] * 3


def test_a_process_that_dies_in_mid_call_is_replaced(tmp_path: Path) -> None:
    with workers(2) as group:
        group.call_all(Dummy.add, number=1)
        assert group.call({1: Call.to(Dummy.die_once, flag=str(tmp_path / "flag"))}) == {1: 1}
        assert group.call_all(Dummy.add, number=1) == [2, 2]


def test_a_frozen_process_alone_is_replaced() -> None:
    with workers(3, silence=3.0) as group:
        group.call_all(Dummy.add, number=1)
        before = processes(group)
        os.kill(before[1], signal.SIGSTOP)
        begin = time.monotonic()
        # The others wait for what the frozen one is to publish.
        assert group.all_gather(Dummy.give, Dummy.take, weight=1) == [4, 4, 4]
        assert 3 <= time.monotonic() - begin < 10
        after = processes(group)
        assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_a_process_that_hangs_alone_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with workers(2, call_timeout=3.0, silence=2.5) as group:
        before = processes(group)
        begin = time.monotonic()
        assert group.call({0: Call.to(Dummy.hang_once, flag=str(tmp_path / "flag"))}) == {0: 0}
        assert 3 <= time.monotonic() - begin < 10
        assert processes(group)[1] == before[1]
    # It showed signs of life all the time.
    assert "no answer within 3 s" in caplog.text


def test_a_call_cut_short_leaves_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with workers(2) as group:
        group.call_all(Dummy.add, number=1)
        with monkeypatch.context() as patch:
            patch.setattr(socket_channel, "wait", interrupt)
            with pytest.raises(KeyboardInterrupt):
                group.call_all(Dummy.add, number=100)
        assert group.call_all(Dummy.add, number=1) == [2, 2]


def test_a_faulty_worker_is_named_and_replaced(tmp_path: Path) -> None:
    with workers(3, worker=partial(one_faulty, str(tmp_path / "flag"))) as group:
        group.call_all(Dummy.load, number=10)
        with group.proof():
            sums = group.call_all(Dummy.add, number=1)
            (wrong,) = [rank for rank, value in enumerate(sums) if value != 11]
            (faulty,) = group.audit(trusted)
            assert (faulty.rank, faulty.method, faulty.index) == (wrong, "add", 1)
        with group.proof():
            group.call_all(Dummy.begin)
            assert group.call_all(Dummy.add, number=1) == [11, 11, 11]


class Unreadable(partial[Worker]):
    """A factory that no other process can have."""

    def __reduce__(self) -> Any:
        return os._exit, (3,)


def test_a_process_that_does_not_start_says_why() -> None:
    worker = Unreadable(worker_of, Dummy)
    with pytest.raises(PlacementError, match=r"1 of 1 .* ended with status 3"), workers(1, worker=worker):
        pass


def test_processes_end_with_a_coordinator_that_is_killed() -> None:
    code = """
import sys, time
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.processes import socket_channel
from deepprove_dist.execution.processes.local_launcher import LocalLauncher
from deepprove_dist.execution.processes.process_executor import ProcessExecutor
from tests.execution.dummy import Dummy, dummy
group = WorkerGroup(ProcessExecutor(LocalLauncher(), 2, dummy))
print(*group.call_all(Dummy.process), flush=True)
group.call_all(Dummy.add_slowly, number=1, seconds=60.0)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        living = coordinator.stdout.readline().split()
        time.sleep(0.2)
        coordinator.kill()
    end = time.monotonic() + 5
    while any(Path(f"/proc/{process}").exists() for process in living):
        assert time.monotonic() < end
        time.sleep(0.05)
