"""The secret of a proving key: all random values of its proofs are derived from it.

Its bytes are in this object and in one file of mode 600. They are in no text of it, no pickle and no error.
`derive` is the only way to use them. A process that can read this one's memory or that file knows them.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from deepprove_dist import kernels
from deepprove_dist.atomic import sync_folder
from deepprove_dist.canonical import Digest, File, decode_file, encode
from deepprove_dist.errors import FormatError, SecretError
from deepprove_dist.randomness.owner_file import open_plain_file, require_owner_only

SECRET_FILE = "proving.secret"
"""Its name in a folder of keys."""
FORMAT = "deepprove-dist proving secret"
VERSION = 1
SECRET_BYTES = 32

_MOST_BYTES = 1 << 10


class Secret:
    """32 bytes that only their owner knows; `generate` draws them, `save` and `load` keep them in a file."""

    __slots__ = ("_bytes",)

    def __init__(self, content: bytes) -> None:
        """Raises FormatError for another number of bytes than 32."""
        if not _is_secret(content):
            # A traceback may show a frame's variables.
            del content
            raise FormatError(f"a secret has {SECRET_BYTES} bytes")
        self._bytes = bytes(content)

    @classmethod
    def generate(cls) -> Secret:
        """A new one, from the operating system."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def load(cls, path: Path) -> Secret:
        """The secret in a file.

        Raises:
            OSError: where the file cannot be read.
            SecretError: where group or others may do anything with it, or it is no plain file.
            FormatError: for any other file, and for a damaged one.
        """
        secret = _decode(_read(path))
        if isinstance(secret, str):
            raise FormatError(f"{path}: {secret}")
        return secret

    def save(self, path: Path) -> None:
        """Makes a file that only its owner can read; it is on disk, with its name, afterwards.

        Raises:
            SecretError: where there is a file of this name: a secret is never replaced.
            OSError: where it cannot be written; no part of it is left then.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            raise SecretError(f"{path} is there already, and a secret is never replaced") from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                # The process's mask may have taken more away.
                os.fchmod(file.fileno(), 0o600)
                file.write(encode(_SecretFile(FORMAT, VERSION, self._bytes)))
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def derive(self, parts: Sequence[tuple[str, bytes]]) -> bytes:
        """32 bytes that follow from the secret and labelled parts, and tell nothing about either."""
        return kernels.derive_seed(self._bytes, list(parts))

    def __eq__(self, other: object) -> bool:
        return hmac.compare_digest(self._bytes, other._bytes) if isinstance(other, Secret) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(None)


class _SecretFile(File, frozen=True):
    """What the file holds."""

    secret: Digest

    def __repr__(self) -> str:
        return "_SecretFile(...)"


def _is_secret(content: object) -> bool:
    return isinstance(content, bytes) and len(content) == SECRET_BYTES


def _read(path: Path) -> bytes:
    with open_plain_file(path) as file:
        require_owner_only(path, file)
        return file.read(_MOST_BYTES)


def _decode(content: bytes) -> Secret | str:
    """The secret, or why it is none: an error raised from here would hold frames with the bytes."""
    try:
        return Secret(decode_file(content, _SecretFile, FORMAT, VERSION).secret)
    except FormatError as error:
        return str(error)
