"""Files that only their owner may use."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from deepprove_dist.errors import SecretError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_plain_file(path: Path) -> BinaryIO:
    """Opens a file for reading.

    Raises:
        OSError: where the file cannot be read.
        SecretError: where it is no plain file.
    """
    # A pipe would block until somebody writes.
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise SecretError(f"{path} is no plain file")
    return file


def require_owner_only(path: Path, file: BinaryIO) -> None:
    """Raises SecretError where group or others may do anything with the open file at this path."""
    if os.fstat(file.fileno()).st_mode & _OTHERS:
        raise SecretError(f"others may use {path}, which is a secret: chmod 600 {path}")
