"""Workers that are recorded, and answer again."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from benchmarks.workers_alone import AnsweringExecutor, RecordingExecutor, measure_alone
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


def test_rounds_are_counted_and_told(tmp_path: Path) -> None:
    executor, rounds = RecordingExecutor(1, tmp_path), []
    executor.after_round = lambda: rounds.append(executor.rounds)
    group = WorkerGroup(executor)
    group.assign(0)
    for _ in range(2):
        group.call_all(peak_memory)
    executor.close()
    assert rounds == [1, 2]
    with (tmp_path / "worker-0").open("rb") as file:
        assert [pickle.load(file).number for _ in range(2)] == [0, 1]
        assert file.read() == b""


def test_a_coordinator_gets_the_recorded_answers_in_each_proof(recorded: Path) -> None:
    executor = AnsweringExecutor(2, recorded, 0)
    group = WorkerGroup(executor)
    group.assign(1)
    first = group.call_all(peak_memory)
    executor.again()
    assert group.call_all(peak_memory) == first


def test_a_coordinator_that_asks_more_is_an_error(recorded: Path) -> None:
    group = WorkerGroup(AnsweringExecutor(2, recorded, 0))
    group.assign(1)
    group.call_all(peak_memory)
    with pytest.raises(RuntimeError, match="worker 0 was not asked in round 1"):
        group.call_all(peak_memory)
