"""Certificates that this user's verifier checked before, remembered on disk.

An empty file stands for one certificate that holds under one key. Its name is a digest of both, and of this
program's version: another version checks again. So the folder says nothing but which checks passed. Whoever
can write there can have certificates believed. The folder is the user's own therefore, or it is not used.

Nothing depends on the folder: where it cannot be read or written, certificates are checked each time.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from deepprove_dist import __version__
from deepprove_dist.kernels import digest

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class CertificateCache:
    """Names of certificates that were checked; a set of them, as `AcceptedEpochs` takes it."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is where they are remembered, None the folder of the user who runs this program."""
        self._folder = folder

    @classmethod
    def of_user(cls) -> CertificateCache:
        """The cache of the user who runs this program, in the system's folder for caches."""
        return cls(None)

    @cached_property
    def folder(self) -> Path:
        """Where they are remembered."""
        # Here, since most proofs have no certificates.
        import platformdirs

        return self._folder or platformdirs.user_cache_path("deepprove-dist") / "certificates"

    def __contains__(self, name: bytes) -> bool:
        """Whether the certificate of this name was checked before, by this version of the program."""
        try:
            # Not what a link leads to, and not a file of another user.
            status = self._file(name).lstat()
        except OSError:
            return False
        return self._is_private() and stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()

    def add(self, name: bytes) -> None:
        """Remembers that a certificate holds, where the folder is the user's."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._is_private():
                self._file(name).touch(mode=0o600)

    def _file(self, name: bytes) -> Path:
        return self.folder / digest(f"deepprove-dist {__version__} checked", name).hex()

    def _is_private(self) -> bool:
        """Whether the folder is the user's, and nobody else may write to it. Raises OSError."""
        status = self.folder.lstat()
        mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        return mine and not status.st_mode & _OTHERS_WRITE
