"""The counter's file is read strictly, and replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepprove_dist.canonical import encode, replace
from deepprove_dist.errors import BudgetError, FormatError
from deepprove_dist.randomness.counter import (
    COUNTER_FILE,
    FORMAT,
    MAX_PROOFS,
    VERSION,
    Counter,
    read_counter,
    write_counter,
)
from deepprove_dist.randomness.home import Home

HOME = Home(1, (1 << 64) - 1, bytes(32))
COUNTER = Counter(FORMAT, VERSION, 3, 100, 42, HOME)


@pytest.mark.parametrize("counter", [COUNTER, replace(COUNTER, limit=None, used=MAX_PROOFS)])
def test_a_counter_is_read_as_it_was_written(tmp_path: Path, counter: Counter) -> None:
    assert read_counter(tmp_path) is None
    write_counter(tmp_path, counter)
    assert read_counter(tmp_path) == counter
    assert [file.name for file in tmp_path.iterdir()] == [COUNTER_FILE]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        encode(COUNTER)[:-1],
        encode(COUNTER) + b"\0",
        encode(replace(COUNTER, format="deepprove-dist proof")),
        encode(replace(COUNTER, version=VERSION + 1)),
        encode(replace(COUNTER, used=-1)),
        encode(replace(COUNTER, limit=MAX_PROOFS + 1)),
        encode(replace(COUNTER, epoch=-1)),
        encode(replace(COUNTER, home=Home(1, 2, bytes(33)))),
        encode(COUNTER).replace(b"\x2a", b"\x7f"),
        b"\xff" * 8192,
    ],
)
def test_a_damaged_counter_says_that_the_number_of_proofs_is_unknown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / COUNTER_FILE).write_bytes(content)
    with pytest.raises(BudgetError, match="nobody knows how many proofs were made, and rekey"):
        read_counter(tmp_path)


def test_no_counter_is_beyond_its_limit() -> None:
    with pytest.raises(FormatError, match="more proofs"):
        replace(COUNTER, used=101)
    replace(COUNTER, used=100)


def test_file_and_folder_are_synced_before_a_counter_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    sync, move = os.fsync, Path.replace

    def record_sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    def record_move(path: Path, target: Path) -> Path:
        synced.append(-1)
        return move(path, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "replace", record_move)
    write_counter(tmp_path, COUNTER)
    assert synced == [(tmp_path / COUNTER_FILE).stat().st_ino, -1, tmp_path.stat().st_ino]
