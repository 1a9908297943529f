"""What jobs have beside their rows: inputs, proofs and openings, in a folder or in an object store.

Any address that fsspec knows will do: `file:///srv/proofs`, `s3://bucket/proofs`. Inputs and openings are
secrets of their clients, and lie there as they are. Files of this machine are their owner's alone, and on
disk before `write` returns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fsspec.core import url_to_fs

from deepprove_dist.atomic import sync_folder, write_atomically

logger = logging.getLogger(__name__)

INPUTS, PROOF = "inputs", "proof"
_BETWEEN = "-"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

T = TypeVar("T")


def opening_name(tensor: str) -> str:
    """Of the opening of a hidden tensor; a tensor's name may have any characters."""
    return f"opening.{tensor.encode().hex()}"


class Artifacts:
    """Files by job, attempt and name: `write` returns where one is, and `read` takes that."""

    def __init__(self, url: str, patience: float = 60.0) -> None:
        """`patience`: seconds for which a store that fails is tried again. Raises OSError, ValueError."""
        self._files, self._root = url_to_fs(url)
        self._local = "file" in _protocols(self._files.protocol)
        self._patience = patience
        if self._local:
            Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, job: str, attempt: int, name: str, content: bytes) -> str:
        """Keeps a file of a job's attempt; where it is. Raises OSError."""
        where = _where(job, attempt, name)
        path = f"{self._root}/{where}"

        def put() -> None:
            if self._local:
                write_atomically(Path(path), content, mode=0o600)
                sync_folder(Path(self._root))
            else:
                self._files.pipe_file(path, content)

        self._patiently(put)
        return where

    def read(self, where: str) -> bytes:
        """A file that was kept. Raises OSError; FileNotFoundError where it was removed."""
        content = self._patiently(lambda: self._files.cat_file(f"{self._root}/{where}"))
        return bytes(content)

    def read_file(self, job: str, attempt: int, name: str) -> bytes:
        """A file of a job's attempt. Raises as `read` does."""
        return self.read(_where(job, attempt, name))

    def remove(self, job: str) -> None:
        """Removes all files of a job. Raises OSError."""
        for path in self._files.glob(f"{self._root}/{_where(job, '*', '*')}"):
            self._files.rm(path)

    def remove_file(self, job: str, attempt: int, name: str) -> None:
        """Removes one file, if it is there. Raises OSError."""
        path = f"{self._root}/{_where(job, attempt, name)}"
        if self._files.exists(path):
            self._files.rm(path)

    def _patiently(self, work: Callable[[], T]) -> T:
        """Does the work, again and again where the store fails; a file that is not there is no failure."""
        end, pause = time.monotonic() + self._patience, _FIRST_PAUSE
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
