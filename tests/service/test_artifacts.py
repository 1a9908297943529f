from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

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


def test_patience_ends() -> None:
    artifacts = Artifacts("memory://down", patience=0.15)
    attempts = []

    def fail() -> None:
        attempts.append(1)
        raise OSError("down")

    with pytest.raises(OSError, match="down"):
        artifacts._patiently(fail)
    assert len(attempts) == 2
