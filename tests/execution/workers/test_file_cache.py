"""Files by digest: at their own path, in the cache, and never with other bytes."""

from __future__ import annotations

import stat
from hashlib import blake2b
from pathlib import Path

import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.execution.workers.file_cache import cache_folder, find_file, store_file
from deepprove_dist.execution.workers.worker_process import WorkerProcess
from tests.execution.dummy import dummy

CONTENT = b"a model"
DIGEST = blake2b(CONTENT, digest_size=32).digest()
SIZE = len(CONTENT)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder()


def test_a_file_at_its_own_path_is_used_there(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(CONTENT)
    assert find_file(path, SIZE, DIGEST) == path


@pytest.mark.parametrize("content", [b"b model", b"a model, longer", b""])
def test_other_bytes_at_the_path_are_not_used(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    assert find_file(path, SIZE, DIGEST) is None
    assert find_file(tmp_path, SIZE, DIGEST) is None


def test_what_was_stored_is_found_again_and_is_the_users_alone(cache: Path) -> None:
    nowhere = Path("/nowhere/model")
    assert find_file(nowhere, SIZE, DIGEST) is None
    stored = store_file(memoryview(CONTENT), DIGEST)
    assert find_file(nowhere, SIZE, DIGEST) == stored
    assert stored.read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == [DIGEST.hex()]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_damaged_file_is_not_used_and_is_replaced() -> None:
    nowhere = Path("/nowhere/model")
    stored = store_file(memoryview(CONTENT), DIGEST)
    stored.write_bytes(b"b model")
    assert find_file(nowhere, SIZE, DIGEST) is None
    assert store_file(memoryview(CONTENT), DIGEST).read_bytes() == CONTENT


def test_other_bytes_are_not_stored(cache: Path) -> None:
    with pytest.raises(FormatError, match="other bytes"):
        store_file(memoryview(b"b model"), DIGEST)
    assert not cache.exists()


def test_where_no_folder_takes_it_a_file_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").touch()
    # As on a full disk, or one that is read only, no folder can be made there.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "full"))
    process = WorkerProcess(1, dummy)
    assert process.store_file(memoryview(CONTENT), DIGEST) == "Not a directory"
    held = process.context.file(DIGEST)
    assert held.read_bytes() == CONTENT
    assert find_file(held, SIZE, DIGEST) == held
    with pytest.raises(FormatError, match="other bytes"):
        process.store_file(memoryview(CONTENT), bytes(32))


def test_a_disk_that_takes_it_has_it_for_all_processes(cache: Path) -> None:
    for _ in range(2):
        process = WorkerProcess(1, dummy)
        assert process.store_file(memoryview(CONTENT), DIGEST) == ""
        assert process.context.file(DIGEST) == cache / DIGEST.hex()
