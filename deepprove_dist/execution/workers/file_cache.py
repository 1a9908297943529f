"""Files of the coordinator's machine on this one, by their digests.

A file at the same path, on a shared disk for example, is used where it is. Others are stored in a folder of
the user's cache under the digest's name, for later proofs too. It may be deleted whenever nothing is proven.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.errors import FormatError

_BLOCK = 1 << 22
_CHANGED = "a file arrived with other bytes than it was sent with"


def cache_folder() -> Path:
    """`deepprove-dist/files` in XDG_CACHE_HOME, by default `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "deepprove-dist" / "files"


def find_file(path: Path, size: int, digest: bytes) -> Path | None:
    """A file here with this size and digest: at that path, or in the cache."""
    candidates = (path, _cached(digest))
    return next((file for file in candidates if _is(file, size, digest)), None)


def store_file(content: memoryview, digest: bytes) -> Path:
    """Puts a file into the cache. Raises OSError, or FormatError for other bytes than those of the digest."""
    if _hash(content).digest() != digest:
        raise FormatError(_CHANGED)
    path = _cached(digest)
    # Nobody else has to read a model, or could put a file in its place.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, content)
    return path


def hold_file(content: memoryview, digest: bytes) -> Path:
    """Puts a file into this process's memory, where no folder can take it.

    Raises OSError where the system has no files in memory, and FormatError as `store_file` does.
    """
    if _hash(content).digest() != digest:
        raise FormatError(_CHANGED)
    if not hasattr(os, "memfd_create"):
        raise OSError("this system has no files in memory")
    file = os.memfd_create(digest.hex())
    remaining = content
    while remaining:
        remaining = remaining[os.write(file, remaining) :]
    return Path(f"/proc/self/fd/{file}")


def _cached(digest: bytes) -> Path:
    return cache_folder() / digest.hex()


def _is(path: Path, size: int, digest: bytes) -> bool:
    hasher = _hash(b"")
    with suppress(OSError):
        if not path.is_file() or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                hasher.update(block)
        return hasher.digest() == digest
    return False


def _hash(content: bytes | memoryview) -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=32)
