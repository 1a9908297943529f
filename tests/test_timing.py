"""Timed calls: lines in a file, whoever writes them, and what a report makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from deepprove_dist.cli import main
from deepprove_dist.errors import FormatError
from deepprove_dist.timing import COLUMNS, VARIABLE, timed
from deepprove_dist.timing_report import group_calls, read_timed_calls


@timed("work", "proving", layer="dense1", worker="w1")
def work(value: int) -> int:
    return value + 1


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "new" / "prover_perf.csv"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_a_call_is_a_line(file: Path) -> None:
    with timed("commit", "proving") as call:
        call.bytes = 1024
    assert work(1) == 2
    header, *_ = file.read_text().splitlines()
    assert header == "name,phase,layer,start,duration,bytes,worker" == ",".join(COLUMNS)
    commit, worked = read_timed_calls(file)
    assert (commit.name, commit.phase, commit.layer, commit.bytes) == ("commit", "proving", "", 1024)
    assert commit.worker == "coordinator"
    assert (worked.name, worked.layer, worked.worker) == ("work", "dense1", "w1")
    assert 0 <= worked.duration < 1
    assert worked.start >= commit.start


def test_an_error_is_timed_and_passes_on(file: Path) -> None:
    with pytest.raises(ValueError, match="wrong"), timed("commit", "proving"):
        raise ValueError("wrong")
    assert len(read_timed_calls(file)) == 1


def test_without_the_variable_nothing_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    assert work(1) == 2
    assert not file.exists()


def test_many_writers_leave_whole_lines_under_one_header(file: Path) -> None:
    script = (
        "from deepprove_dist.timing import timed\n"
        "for number in range(200):\n    with timed('x' * 50, 'proving', layer=str(number)): pass\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(100)))
    assert [process.wait(30) for process in processes] == [0, 0, 0]
    assert len(read_timed_calls(file)) == 700


def test_groups_are_by_phase_name_and_layer(tmp_path: Path) -> None:
    path = tmp_path / "timings.csv"
    path.write_text(
        "name,phase,layer,start,duration,bytes,worker\n"
        "opening,proving,,3.0,0.030,10,coordinator\n"
        "commit,proving,,2.0,0.010,5,w1\n"
        "commit,proving,,2.5,0.020,5,w2\n"
        "read,inference,dense1,1.0,0.001,0,coordinator\n"
    )
    first, second, third = group_calls(read_timed_calls(path))
    assert (first.phase, first.name, first.layer) == ("inference", "read", "dense1")
    assert {second.name, third.name} == {"commit", "opening"}
    commit = second if second.name == "commit" else third
    assert (commit.calls, commit.workers, commit.bytes) == (2, 2, 10)
    assert commit.total_ms == pytest.approx(30)
    assert commit.median_ms == pytest.approx(15)
    assert commit.most_ms == pytest.approx(20)
    assert commit.share == pytest.approx(0.5)


@pytest.mark.parametrize("content", ["", "a,b\n", ",".join(COLUMNS) + "\nonly,three,fields\n"])
def test_other_files_are_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"other\.csv"):
        read_timed_calls(path)


def test_the_report_command_prints_a_table_and_draws(file: Path) -> None:
    work(1)
    shown = CliRunner().invoke(main, ["report", str(file)], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "work" in shown.output
    assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    picture = file.with_name("other.png")
    result = CliRunner().invoke(main, ["report", str(file), "-o", str(picture), "--json"])
    assert json.loads(result.stdout)["groups"][0]["name"] == "work"
    assert picture.is_file()
