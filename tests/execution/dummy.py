"""A worker for tests of what carries calls: its state is a number, and it can misbehave when told to."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepprove_dist.execution.worker import Worker


class Dummy(Worker):
    """Adds numbers up; every answer depends on all calls before."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.threads = threads
        self.base = 0
        self.total = 0
        self.size = 0

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        return getattr(self, f"on_{method}")(**arguments)

    def on_load(self, number: int) -> None:
        self.base = self.total = number

    def on_begin(self) -> None:
        self.total = self.base

    def on_add(self, number: int) -> int:
        self.total += number
        return self.total

    def on_echo(self, data: bytes) -> bytes:
        return data

    def on_resize(self, size: int) -> None:
        """What it gives has so many more bytes."""
        self.size = size

    def on_give(self) -> bytes:
        return b"%d." % self.total + bytes(self.size)

    def on_take(self, shares: list[bytes], weight: int) -> int:
        self.total += weight * sum(int(share.partition(b".")[0]) for share in shares)
        return self.total

    def on_has_file(self, digest: bytes) -> bool:
        return self.context.file(digest).is_file()

    def on_fail(self) -> None:
        raise ValueError("told to fail")

    def on_process(self) -> int:
        return os.getpid()

    def on_threads(self) -> int:
        return self.threads

    def on_add_slowly(self, number: int, seconds: float) -> int:
        time.sleep(seconds)
        return self.on_add(number)

    def on_die_once(self, mark: str) -> int:
        """Dies in the middle of the call, unless the file `mark` says that this has happened already."""
        return self._once(mark, os._exit)

    def on_hang_once(self, mark: str) -> int:
        """Hangs for longer than any test waits, once."""
        return self._once(mark, lambda _: time.sleep(3600))

    def _once(self, mark: str, misbehave: object) -> int:
        if not Path(mark).exists():
            Path(mark).touch()
            misbehave(1)  # type: ignore[operator]
        return self.total


class FaultyWorker(Dummy):
    """Adds one too many from the second sum on, consistently."""

    def on_add(self, number: int) -> int:
        lie = 0 if self.total == 0 else 1
        return super().on_add(number + lie)


def one_faulty_worker(mark: str, threads: int) -> Dummy:
    """A faulty_worker for the first who asks, wherever it runs, and then honest workers."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return Dummy(threads)
    return FaultyWorker(threads)
