from __future__ import annotations

import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deepprove_dist.service import artifacts as module
from deepprove_dist.service.artifacts import Artifacts, beside, opening_name


@pytest.mark.parametrize("address", ["{folder}/artifacts", "file://{folder}/artifacts", "memory://artifacts"])
def test_what_was_written_is_read_until_it_is_removed(address: str, tmp_path: Path) -> None:
    artifacts = Artifacts(address.format(folder=tmp_path), patience=0.0)
    inputs, proof = artifacts.write("job", 0, "inputs", b"1"), artifacts.write("job", 2, "proof", b"2")
    assert (artifacts.read(inputs), artifacts.read(proof)) == (b"1", b"2")
    assert artifacts.read_file("job", 2, "proof") == b"2"
    assert artifacts.read(beside(inputs, "inputs")) == b"1"
    for _ in range(2):
        artifacts.remove_file("job", 0, "inputs")
    with pytest.raises(FileNotFoundError):
        artifacts.read(inputs)
    artifacts.remove("job")
    artifacts.remove("job")
    with pytest.raises(FileNotFoundError):
        artifacts.read(proof)


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    artifacts = Artifacts(str(tmp_path / "artifacts"))
    where = artifacts.write("job", 0, "inputs", b"secret")
    for path in (tmp_path / "artifacts", tmp_path / "artifacts" / where):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_names_of_openings_are_names_of_files() -> None:
    assert "/" not in opening_name("../x/y")
    assert opening_name("a") != opening_name("b")


def test_a_store_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts, failures = Artifacts("memory://flaky", patience=5.0), [OSError("down")] * 2
    put = artifacts._files.pipe_file

    def flaky(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        put(*arguments)

    monkeypatch.setattr(artifacts._files, "pipe_file", flaky)
    assert artifacts.read(artifacts.write("job", 0, "proof", b"1")) == b"1"


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = Artifacts("memory://down", patience=0.15)
    attempts = []

    def fail(*_: object) -> None:
        attempts.append(1)
        raise OSError("down")

    monkeypatch.setattr(artifacts._files, "pipe_file", fail)
    with pytest.raises(OSError, match="down"):
        artifacts.write("job", 0, "proof", b"1")
    assert len(attempts) == 2


def test_of_a_write_that_is_given_up_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = Artifacts("memory://hangs")
    put, go_on, written = artifacts._files.pipe_file, threading.Event(), threading.Event()

    def hang(*arguments: Any) -> None:
        assert go_on.wait(60)
        put(*arguments)
        written.set()

    monkeypatch.setattr(artifacts._files, "pipe_file", hang)
    with pytest.raises(TimeoutError, match="no answer within"):
        artifacts.write("job", 0, "inputs", b"secret", seconds=0.05)
    go_on.set()
    assert written.wait(60)
    end = time.monotonic() + 60
    while artifacts._files.exists("/hangs/job-0-inputs") and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(FileNotFoundError):
        artifacts.read_file("job", 0, "inputs")


def test_of_a_write_that_fails_half_way_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError("the disk fails")

    monkeypatch.setattr(module, "sync_folder", fail)
    # There is no time for another attempt.
    monkeypatch.setattr(module, "_FIRST_PAUSE", 100.0)
    with pytest.raises(OSError, match="the disk fails"):
        Artifacts(str(tmp_path)).write("job", 0, "inputs", b"secret", seconds=60.0)
    assert [*tmp_path.iterdir()] == []
