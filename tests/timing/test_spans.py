"""Spans under a clock that the test holds, and what tables and files say of them."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from deepprove_dist.cli import main
from deepprove_dist.errors import FormatError, MissingPackageError
from deepprove_dist.timing import Span, Trace, current_trace, recording, timed
from deepprove_dist.timing.chrome import chrome_trace, read_chrome_trace
from deepprove_dist.timing.files import write_trace
from deepprove_dist.timing.phases import (
    BYTES_FETCHED,
    BYTES_IN,
    BYTES_OUT,
    WorkerTotals,
    phase_table,
    phase_totals,
)
from deepprove_dist.timing.spans import OUTSIDE
from deepprove_dist.timing.table import group_calls

NODES = ("a", "b")


@timed("work", "proving", layer="dense1")
def work(value: int) -> int:
    return value + 1


def recorded() -> Trace:
    """Five seconds: one of the coordinator, a round of two ranks, a phase within a phase, a timed call."""
    now = [10.0]
    trace = Trace(lambda: now[0])
    with recording(trace):
        now[0] = 11.0
        with trace.phase("outer"):
            now[0] = 13.0
            trace.add(Span("add", "round", 1.0, 3.0, "outer"))
            counts = {BYTES_OUT: 4, BYTES_IN: 20, BYTES_FETCHED: 7}
            trace.add(Span("add", "work", 1.0, 3.0, "outer", rank=0, counts=counts))
            counts = {BYTES_OUT: 2, BYTES_IN: 20, BYTES_FETCHED: 0}
            trace.add(Span("add", "work", 1.0, 1.5, "outer", rank=1, counts=counts))
            with trace.phase("inner"):
                now[0] = 14.0
                work(1)
            now[0] = 15.0
    now[0] = 20.0
    return trace


def test_a_timed_call_is_a_span() -> None:
    with recording(Trace()) as trace:
        with timed("commit", "proving") as call:
            call.bytes = 1024
        assert work(1) == 2
    commit, worked = trace.spans
    assert (commit.name, commit.kind, commit.phase, commit.layer) == ("commit", "call", "proving", "")
    assert (commit.rank, commit.counts) == (None, {"bytes": 1024})
    assert (worked.name, worked.layer, worked.counts) == ("work", "dense1", {})
    assert 0 <= commit.start <= commit.end <= worked.start <= worked.end <= trace.end < 1


def test_an_error_is_timed_and_passes_on() -> None:
    with recording(Trace()) as trace, pytest.raises(ValueError, match="wrong"), timed("commit", "proving"):
        raise ValueError("wrong")
    assert len(trace.spans) == 1


def test_without_a_trace_nothing_is_recorded() -> None:
    trace = Trace()
    assert work(1) == 2
    with recording(trace):
        assert current_trace() is trace
    assert work(1) == 2
    assert current_trace() is None
    assert trace.spans == []


def test_a_function_is_timed_in_several_calls_at_once() -> None:
    def traced(value: int) -> int:
        with recording(Trace()) as trace:
            work(value)
        return len(trace.spans)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(traced, range(100))) == [1] * 100


def test_totals_of_phases() -> None:
    outside, outer, inner = phase_totals(recorded(), 2)
    assert (outside.phase, outside.rounds, outside.coordinator) == (OUTSIDE, 0, 1.0)
    assert (outer.phase, outer.rounds, outer.coordinator) == ("outer", 1, 1.0)
    assert outer.workers == (WorkerTotals(4, 20, 2.0, 0.0, 7), WorkerTotals(2, 20, 0.5, 1.5, 0))
    assert (inner.phase, inner.rounds, inner.coordinator) == ("inner", 0, 1.0)


def test_a_phase_may_come_again() -> None:
    now = [0.0]
    trace = Trace(lambda: now[0])
    with recording(trace):
        for _ in range(2):
            with trace.phase("first"):
                now[0] += 1.0
            with trace.phase("second"):
                now[0] += 0.5
    totals = phase_totals(trace, 1)
    assert [(total.phase, total.coordinator) for total in totals] == [
        (OUTSIDE, 0.0),
        ("first", 2.0),
        ("second", 1.0),
    ]


def test_the_table_has_a_line_for_each_phase_and_rank() -> None:
    lines = list(csv.DictReader(io.StringIO(phase_table(recorded(), 2))))
    assert [(line["phase"], line["worker"]) for line in lines[2:4]] == [("outer", "0"), ("outer", "1")]
    assert float(lines[3]["waiting_seconds"]) == 1.5
    assert len(lines) == 6


def test_the_chrome_trace_has_phases_calls_and_busy_ranks() -> None:
    events = json.loads(chrome_trace(recorded(), NODES))["traceEvents"]
    names = ("tid", "name", "ts", "dur")
    slices = [tuple(event[name] for name in names) for event in events if event["ph"] == "X"]
    assert (0, "inner", 3e6, 1e6) in slices
    assert (1, "work", 4e6, 0.0) in slices
    assert (2, "add", 1e6, 2e6) in slices
    assert (3, "add", 1e6, 0.5e6) in slices
    lines = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
    assert lines == {0: "phases", 1: "calls", 2: "worker 0 on a", 3: "worker 1 on b"}


def test_a_trace_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, trace = tmp_path / "trace.json", recorded()
    path.write_bytes(chrome_trace(trace, NODES))
    assert read_chrome_trace(path) == trace.spans


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"traceEvents": 1}',
        '{"traceEvents": [{"ph": "B"}]}',
        '{"traceEvents": [{"ph": "X", "name": "x", "cat": "other", "ts": 0, "dur": 0, "pid": 0, "tid": 0,'
        ' "args": {"phase": "", "layer": "", "rank": null, "counts": {}}}]}',
    ],
)
def test_other_files_are_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"other\.json is no trace"):
        read_chrome_trace(path)


def test_groups_are_by_phase_name_and_layer() -> None:
    spans = [
        Span("opening", "call", 3.0, 3.03, "proving", counts={"bytes": 10}),
        Span("commit", "call", 2.0, 2.01, "proving", counts={"bytes": 5}),
        Span("commit", "call", 2.5, 2.52, "proving", counts={"bytes": 5}),
        Span("read", "call", 1.0, 1.001, "inference", "dense1"),
        Span("rows", "phase", 0.0, 9.0, "rows"),
    ]
    first, second, third = group_calls(spans)
    assert (first.phase, first.name, first.layer) == ("inference", "read", "dense1")
    assert {second.name, third.name} == {"commit", "opening"}
    commit = second if second.name == "commit" else third
    assert (commit.calls, commit.bytes) == (2, 10)
    assert commit.total_ms == pytest.approx(30)
    assert commit.median_ms == pytest.approx(15)
    assert commit.longest_ms == pytest.approx(20)
    assert commit.share == pytest.approx(0.5)


def test_all_files_are_written(tmp_path: Path) -> None:
    write_trace(recorded(), NODES, tmp_path)
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"phases.csv", "trace.json", "timeline.png"}


def test_without_workers_there_is_the_trace_alone(tmp_path: Path) -> None:
    write_trace(recorded(), (), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"trace.json"}


def test_a_missing_matplotlib_is_said_before_the_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from deepprove_dist.cli.trace import traced

    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match="matplotlib"), traced(tmp_path / "trace"):
        raise AssertionError("the work must not begin")


def test_the_report_command_prints_a_table_and_draws(tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    file.write_bytes(chrome_trace(recorded(), NODES))
    shown = CliRunner().invoke(main, ["report", str(file)], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "work" in shown.output
    assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    picture = file.with_name("other.png")
    result = CliRunner().invoke(main, ["report", str(file), "-o", str(picture), "--json"])
    assert json.loads(result.stdout)["groups"][0]["name"] == "work"
    assert picture.is_file()
