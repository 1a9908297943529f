"""Files that appear whole or not at all, and folders whose entries outlast a loss of power."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes | memoryview, *, mode: int = 0o666) -> None:
    """Writes `content` to `path`, creating its folder; an older file stays until the new one is whole.

    `mode` says who may use the file, as far as the process's mask allows that.

    Raises:
        OSError: where the folder cannot be written to, the disk is full, and the like.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, since a rename is atomic within one file system only.
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
            file.write(content)
            file.flush()
            # Else the rename could reach the disk before the content does.
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Waits until the disk has the entries of a folder: names of new files, and what a rename replaced.

    Raises:
        OSError: where the folder cannot be read, or the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
