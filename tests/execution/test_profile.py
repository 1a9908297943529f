"""Sums of a profile under a clock that the test holds, and the files it becomes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.messages import encode_answer
from deepprove_dist.execution.profile import OUTSIDE, Profile, WorkerTotals
from deepprove_dist.execution.profile_files import require_picture, table, trace, write_profile
from deepprove_dist.execution.worker_group import WorkerGroup
from tests.execution.dummy import Dummy

SEATS = (WorkerDescription("a", 1), WorkerDescription("b", 1))


def recorded() -> Profile:
    """Five seconds: one of the coordinator's, a round of two, phases within a phase."""
    now = [10.0]
    profile = Profile(lambda: now[0])
    now[0] = 11.0
    with profile.phase("outer"):
        with profile.call("add", {0: b"1234", 1: b"12"}) as answers:
            now[0] = 13.0
            answers.update({0: encode_answer(1, 2.0, 7), 1: encode_answer(1, 0.5)})
        with profile.phase("inner"):
            now[0] = 14.0
        now[0] = 15.0
    profile.finish()
    now[0] = 20.0
    return profile


def test_totals_of_phases() -> None:
    outside, outer, inner = recorded().totals(2)
    length = len(encode_answer(1))
    assert (outside.phase, outside.rounds, outside.coordinator) == (OUTSIDE, 0, 1.0)
    assert (outer.phase, outer.rounds, outer.coordinator) == ("outer", 1, 1.0)
    assert outer.workers == (WorkerTotals(4, length, 2.0, 0.0, 7), WorkerTotals(2, length, 0.5, 1.5, 0))
    assert (inner.phase, inner.rounds, inner.coordinator) == ("inner", 0, 1.0)


def test_the_table_has_a_line_for_each_phase_and_worker() -> None:
    lines = list(csv.DictReader(io.StringIO(table(recorded(), 2))))
    assert [(line["phase"], line["worker"]) for line in lines[2:4]] == [("outer", "0"), ("outer", "1")]
    assert float(lines[3]["waiting_seconds"]) == 1.5
    assert len(lines) == 6


def test_the_trace_has_phases_and_busy_workers() -> None:
    events = trace(recorded(), SEATS)["traceEvents"]
    assert isinstance(events, list)
    names = ("tid", "name", "ts", "dur")
    slices = [tuple(event[name] for name in names) for event in events if event["ph"] == "X"]
    assert (0, "inner", 3e6, 1e6) in slices
    assert slices[-2:] == [(1, "add", 1e6, 2e6), (2, "add", 1e6, 0.5e6)]
    assert json.loads(json.dumps(events)) == events


def test_a_group_records_its_calls() -> None:
    profile = Profile()
    group = WorkerGroup(InProcessExecutor(2, worker=Dummy), profile=profile)
    with group.phase("sums"):
        group.call_all("add", number=1)
        group.call_all("add_slowly", number=1, seconds=0.02)
    (sums,) = (total for total in profile.totals(2) if total.phase == "sums")
    assert sums.rounds == 2
    assert all(0.02 <= worker.busy < 0.2 for worker in sums.workers)
    # In this process one worker waits while the other works.
    assert all(worker.waiting >= 0.02 for worker in sums.workers)


def test_all_files_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib")
    write_profile(recorded(), SEATS, tmp_path)
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"phases.csv", "trace.json", "timeline.png"}


def test_a_missing_matplotlib_is_said_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ExecutionError, match=r"deepprove-dist\[bench\]"):
        require_picture()
