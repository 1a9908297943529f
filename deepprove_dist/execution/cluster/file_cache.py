"""Files that a machine needs and another one has: where they are found here, by their digests.

A file that stands at the same path, on a shared disk say, is used where it is. Others are kept in a folder of
the user's cache under the digest's name, for later proofs and programs too; it may be deleted at any time
between them.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.errors import FormatError

_BLOCK = 1 << 22


def cache_folder() -> Path:
    """`deepprove-dist/files` in XDG_CACHE_HOME, by default `~/.cache`."""
    own = os.environ.get("XDG_CACHE_HOME")
    return (Path(own) if own else Path.home() / ".cache") / "deepprove-dist" / "files"


def find_file(path: Path, size: int, digest: bytes) -> Path | None:
    """A file here with this size and digest: at that path, or in the cache."""
    return next((each for each in (path, _cached(digest)) if _is(each, size, digest)), None)


def store_file(content: memoryview, digest: bytes) -> Path:
    """Puts a file into the cache. Raises OSError, or FormatError for other bytes than those of the digest."""
    if _hash(content).digest() != digest:
        raise FormatError("a file arrived with other bytes than it was sent with")
    path = _cached(digest)
    # Nobody else has to read a model, or could put a file in its place.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, content)
    return path


def _cached(digest: bytes) -> Path:
    return cache_folder() / digest.hex()


def _is(path: Path, size: int, digest: bytes) -> bool:
    found = _hash(b"")
    with suppress(OSError):
        if not path.is_file() or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.digest() == digest
    return False


def _hash(content: bytes | memoryview) -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=32)
