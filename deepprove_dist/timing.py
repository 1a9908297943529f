"""Where time goes: one CSV line for each timed piece of work, in the file that TIMED_OUTPUT names.

A line has the name of what ran, its phase and layer, when it began (Unix time, seconds), how long it took
(seconds), the bytes it made or moved, and the worker it ran on. Several processes may write to one file:
every line is a single append. Without the variable nothing is measured.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import time
from contextlib import ContextDecorator, suppress
from pathlib import Path

VARIABLE = "TIMED_OUTPUT"
COLUMNS = ("name", "phase", "layer", "start", "duration", "bytes", "worker")
COORDINATOR = "coordinator"


class timed(ContextDecorator):  # noqa: N801 - read as a statement: with timed(...)
    """Times a block of code, or, as a decorator, every call of a function.

    `bytes` may be set until the block ends. Raises OSError where the file cannot be written.
    """

    def __init__(self, name: str, phase: str, *, layer: str = "", worker: str = COORDINATOR) -> None:
        self.bytes = 0
        self._labels = name, phase, layer, worker

    def _recreate_cm(self) -> timed:
        # A decorated function may run in several threads, or call itself.
        name, phase, layer, worker = self._labels
        return timed(name, phase, layer=layer, worker=worker)

    def __enter__(self) -> timed:
        self._file = os.environ.get(VARIABLE)
        if self._file:
            self._start, self._begin = time.time(), time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        if self._file:
            duration = time.perf_counter() - self._begin
            name, phase, layer, worker = self._labels
            fields = (name, phase, layer, f"{self._start:.6f}", f"{duration:.9f}", self.bytes, worker)
            _append(Path(self._file), _line(fields))


def _append(path: Path, line: bytes) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        _create(path)
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def _create(path: Path) -> None:
    """Makes a file with a header: linked into place, so that nobody sees or appends to half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    temporary.write_bytes(_line(COLUMNS))
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def _line(fields: tuple[object, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode()
