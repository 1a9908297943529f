"""What a budget has on disk: one small file, replaced as a whole while its lock is held."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from deepprove_dist.atomic import sync_folder, write_atomically
from deepprove_dist.canonical import File, decode_file, encode
from deepprove_dist.errors import BudgetError, FormatError
from deepprove_dist.randomness.home import Home

COUNTER_FILE = "proofs.counter"
"""Its name in a folder of keys."""
LOCK_FILE = "proofs.lock"
"""What is locked while it changes. The counter itself is another file after each change."""
FORMAT = "deepprove-dist proof counter"
VERSION = 1
MAX_PROOFS = 1 << 53

_MOST_BYTES = 1 << 12
_COUNT = Annotated[int, msgspec.Meta(ge=0, le=MAX_PROOFS)]


class Counter(File, frozen=True):
    """Proofs of one epoch of a key.

    Attributes:
        epoch: of the key, from 0.
        limit: how many proofs the epoch allows; None where their number does not matter.
        used: numbers below it are used, or reserved by somebody who may use them.
        home: where the counter was begun or adopted.
    """

    epoch: _COUNT
    limit: _COUNT | None
    used: _COUNT
    home: Home

    def __post_init__(self) -> None:
        if self.limit is not None and self.used > self.limit:
            raise FormatError("more proofs are used than the limit")


def read_counter(folder: Path) -> Counter | None:
    """The counter in a folder, or None.

    Raises:
        OSError: where the file cannot be read.
        BudgetError: for a damaged file.
    """
    path = folder / COUNTER_FILE
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    try:
        return decode_file(content, Counter, FORMAT, VERSION)
    except FormatError as error:
        raise BudgetError(f"{path}: {error}; {UNKNOWN}") from error


def write_counter(folder: Path, counter: Counter) -> None:
    """Replaces the counter in a folder; the disk has the new one afterwards.

    The caller holds the lock. Where this raises OSError the folder has one of both, whole.
    """
    write_atomically(folder / COUNTER_FILE, encode(counter))
    sync_folder(folder)


UNKNOWN = "so nobody knows how many proofs were made, and rekey has to make the next epoch"
"""What follows from a counter that is missing or damaged."""
