"""Workers that are recorded, and answer again."""

from __future__ import annotations

import os
import pickle
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from benchmarks.workers_alone import RecordingExecutor, apart, measure_alone
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import peak_memory


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A round of two workers."""
    executor = RecordingExecutor(2, tmp_path)
    group = WorkerGroup(executor)
    group.assign(1)
    group.call_all(peak_memory)
    executor.close()
    return tmp_path


def test_a_worker_that_answers_differently_is_an_error(recorded: Path) -> None:
    """How much memory a process has held differs in each."""
    with pytest.raises(RuntimeError, match="worker 0 answers differently in round 0"):
        measure_alone(recorded, 2, {}, 0, 1)


def test_rounds_before_the_proof_are_not_counted(recorded: Path) -> None:
    for rank in range(2):
        (recorded / f"worker-{rank}").write_bytes(b"")
    works = measure_alone(recorded, 2, {}, 0, 1)
    assert [dict(work.seconds) for work in works] == [{}, {}]
    assert all(work.memory > 1 << 20 for work in works)


def test_only_what_is_recorded_is_in_the_file(tmp_path: Path) -> None:
    executor, rounds = RecordingExecutor(1, tmp_path), []
    executor.after_round = lambda: rounds.append(executor.rounds)
    group = WorkerGroup(executor)
    group.assign(0)
    for recording in (False, True):
        executor.is_recording = recording
        group.call_all(peak_memory)
    executor.close()
    with (tmp_path / "worker-0").open("rb") as file:
        assert pickle.load(file).number == 1
        assert file.read() == b""
    assert rounds == [1, 2]


def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool):
        apart(os._exit, 9)
