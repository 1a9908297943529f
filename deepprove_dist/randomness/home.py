"""Where a folder of keys is, as far as that can be seen. Two copies of it would spend one budget twice.

The secret's file is never written again. So its inode stays the same for as long as the folder does.
A copy has another inode, or is on another file system, or on another machine. Some copies cannot be told
apart: clones of a whole disk or of a virtual machine. A restored backup of the counter alone is one too.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Annotated

import msgspec

from deepprove_dist.canonical import DIGEST_BYTES, Limit, Record
from deepprove_dist.errors import CopiedKeysError, SecretError

_MACHINE_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_WORD = Annotated[int, msgspec.Meta(ge=0)]


class Home(Record, frozen=True):
    """What names a secret's file beside its path.

    Attributes:
        filesystem: the file system's number, or the device's where it has none.
        inode: of the file itself, not of what a symbolic link leads to.
        machine: digest of the system's machine id; empty where there is none, as in many containers.
    """

    filesystem: _WORD
    inode: _WORD
    machine: Annotated[bytes, Limit(max_length=DIGEST_BYTES)]

    @classmethod
    def of(cls, secret: Path) -> Home:
        """The home of a secret's file.

        Raises:
            OSError: where the file is missing or cannot be looked at.
            SecretError: for a link, or a file that has other names as well.
        """
        status = secret.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise SecretError(f"{secret} is a link, so that other folders may have it too; put a file there")
        # The system's number follows from the disk's contents mostly. A device's may change on each start.
        filesystem = os.statvfs(secret).f_fsid or status.st_dev
        return cls(filesystem, status.st_ino, machine_digest())


def require_home(recorded: Home, present: Home, folder: Path) -> None:
    """Raises CopiedKeysError where a folder is not where its counter says; it names what differs."""
    names = {"filesystem": "file system", "inode": "file of the secret", "machine": "machine"}
    changed = [words for name, words in names.items() if getattr(recorded, name) != getattr(present, name)]
    if changed:
        raise CopiedKeysError(
            f"{folder} was copied or moved: another {' and another '.join(changed)}. "
            "Two copies would use the same budget of proofs twice, and that of certificates. "
            "If no other copy proves or is rekeyed any more, adopt this one "
            "(deepprove-dist adopt, or ProvingKey.adopt). Otherwise set up new keys."
        )


def machine_digest() -> bytes:
    """A digest of the machine's id, which is not to be shown itself; empty where there is none."""
    for file in _MACHINE_FILES:
        try:
            name = file.read_bytes().strip()
        except OSError:
            continue
        if name:
            return hashlib.sha256(b"deepprove-dist proof counter " + name).digest()
    return b""
