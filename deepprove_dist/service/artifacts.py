"""What jobs have beside their rows: inputs, proofs and openings, in a folder or in an object store.

Any address that fsspec knows will do: `file:///srv/proofs`, `s3://bucket/proofs`. Inputs and openings are
secrets of their clients, and lie there as they are. Files of this machine are their owner's alone, and on
disk before `write` returns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from fsspec.core import url_to_fs

from deepprove_dist.atomic import sync_folder, write_atomically
from deepprove_dist.service.bounded_calls import BoundedCalls

logger = logging.getLogger(__name__)

INPUTS, PROOF = "inputs", "proof"
_BETWEEN = "-"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

T = TypeVar("T")


def opening_name(tensor: str) -> str:
    """Of the opening of a hidden tensor; a tensor's name may have any characters."""
    return f"opening.{tensor.encode().hex()}"


class Artifacts:
    """Files by job, attempt and name: `write` returns where one is, and `read` takes that.

    A call with `seconds` is of somebody who waits: a store that fails or hangs is given up after that time.
    """

    def __init__(self, url: str, patience: float = 60.0) -> None:
        """`patience`: seconds for which a store that fails is tried again. Raises OSError, ValueError."""
        self._files, self._root = url_to_fs(url)
        self._local = "file" in _protocols(self._files.protocol)
        self._patience, self._bounded = patience, BoundedCalls()
        if self._local:
            Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, job: str, attempt: int, name: str, content: bytes, seconds: float | None = None) -> str:
        """Keeps a file of a job's attempt; where it is.

        Raises OSError; with `seconds`, nothing is kept then.
        """
        where = _where(job, attempt, name)
        path = f"{self._root}/{where}"

        def put() -> None:
            if self._local:
                write_atomically(Path(path), content, mode=0o600)
                sync_folder(Path(self._root))
            else:
                self._files.pipe_file(path, content)

        self._do(put, seconds, undo=partial(self.remove_file, job, attempt, name))
        return where

    def read(self, where: str, seconds: float | None = None) -> bytes:
        """A file that was kept. Raises OSError; FileNotFoundError where it was removed."""
        return bytes(self._do(partial(self._files.cat_file, f"{self._root}/{where}"), seconds))

    def read_file(self, job: str, attempt: int, name: str) -> bytes:
        """A file of a job's attempt. Raises as `read` does."""
        return self.read(_where(job, attempt, name))

    def remove(self, job: str) -> None:
        """Removes all files of a job. Raises OSError."""
        for path in self._files.glob(f"{self._root}/{_where(job, '*', '*')}"):
            self._files.rm(path)

    def remove_file(self, job: str, attempt: int, name: str, seconds: float | None = None) -> None:
        """Removes one file, if it is there. Raises OSError."""
        path = f"{self._root}/{_where(job, attempt, name)}"

        def remove() -> None:
            if self._files.exists(path):
                self._files.rm(path)

        if seconds is None:
            remove()
        else:
            self._bounded.run(remove, seconds)

    def _do(
        self, work: Callable[[], T], seconds: float | None, undo: Callable[[], object] = lambda: None
    ) -> T:
        """Does the work, patiently; or within `seconds`, and what it did not do by then is undone."""
        if seconds is None:
            return _repeated(work, self._patience)
        return self._bounded.run(partial(_repeated, work, seconds), seconds, undo)


def _repeated(work: Callable[[], T], seconds: float) -> T:
    """Does the work, again and again where the store fails; a file that is not there is no failure."""
    end, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        try:
            return work()
        except FileNotFoundError:
            raise
        except OSError as error:
            if time.monotonic() + pause > end:
                raise
            logger.warning("the artifact store fails (%s); trying again in %.1f s", error, pause)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def beside(where: str, name: str) -> str:
    """Where another file of the same attempt is."""
    job, attempt, _ = where.split(_BETWEEN, 2)
    return _where(job, attempt, name)


def _where(job: str, attempt: int | str, name: str) -> str:
    # One folder: to wait for the disk is the same for a new file and for its folder.
    return _BETWEEN.join((job, str(attempt), name))


def _protocols(protocol: str | tuple[str, ...]) -> tuple[str, ...]:
    return (protocol,) if isinstance(protocol, str) else protocol
