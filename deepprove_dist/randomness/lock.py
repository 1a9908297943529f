"""One process, and one thread of it, at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock of a file, which is made where it is missing. Waits for others who hold it.

    The system gives the lock back when a process ends, however that happens. Linux takes locks on NFS to the
    server, so that they hold between machines. A share that is mounted with `nolock` or `local_lock` keeps
    them on one machine. A file system without locks raises OSError.

    Raises:
        OSError: where the file cannot be opened for writing, or not be locked.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Somebody may have removed the file meanwhile: then others lock another one of this name.
            if _names(path, descriptor):
                yield
                return
        finally:
            # Closing is not enough: a process that another thread started meanwhile has the file open too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def _names(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
