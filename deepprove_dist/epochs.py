"""Epochs of a folder of keys: `epochs/00001.certificate` and so on; the current one is the counter's.

A certificate is on disk before the counter begins its epoch. So a crash between both leaves a certificate
that nobody has seen, and the next rekeying replaces it.
"""

from __future__ import annotations

import re
from pathlib import Path

from deepprove_dist.atomic import sync_folder, write_atomically
from deepprove_dist.errors import BudgetError, FormatError
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.prover import Prover
from deepprove_dist.randomness.budget import ProofBudget
from deepprove_dist.randomness.counter import COUNTER_FILE, Counter, read_counter
from deepprove_dist.randomness.home import Home, require_home
from deepprove_dist.randomness.lock import locked
from deepprove_dist.randomness.secret import SECRET_FILE
from deepprove_dist.rekeying import rekey, require_epoch

EPOCHS = "epochs"
REKEY_LOCK = "rekey.lock"
"""What is locked while an epoch is made, since that takes a while."""


def certificate_path(folder: Path, number: int) -> Path:
    """Where a folder has the certificate of an epoch."""
    return folder / EPOCHS / f"{number:05}.certificate"


def list_epochs(folder: Path) -> list[int]:
    """The numbers of the epochs that a folder has certificates of, in rising order."""
    names = (re.fullmatch(r"(\d{5,})\.certificate", path.name) for path in (folder / EPOCHS).glob("*"))
    return sorted(int(match[1]) for match in names if match)


def current_epoch(folder: Path) -> int:
    """The epoch that a folder counts; without a usable counter the last one that has a certificate."""
    counter = _usable_counter(folder)
    return counter.epoch if counter is not None else max(list_epochs(folder), default=0)


def read_chain(folder: Path, number: int) -> tuple[bytes, ...]:
    """The certificates that lead from the anchor to an epoch; none for the anchor itself.

    Raises:
        OSError: where one cannot be read.
        FormatError: for one that is damaged, or another epoch's.
    """
    chain: list[bytes] = []
    while number > 0:
        path = certificate_path(folder, number)
        content = path.read_bytes()
        statement = certificate_file.load(content).statement
        if statement.new.number != number or not statement.old.number < number:
            raise FormatError(f"{path} is the certificate of another epoch")
        chain.insert(0, content)
        number = statement.old.number
    return tuple(chain)


def rekey_folder(folder: Path, prover: Prover) -> tuple[Prover, bytes]:
    """Makes the next epoch of a folder whose current one the prover has; it is counted there from now on.

    A counter that is missing or damaged begins again. A copied folder is refused. The old epoch has random
    rows for a few certificates, and each copy would spend all of them.

    Raises:
        CopiedKeysError: where the folder was copied, or moved to another file system.
        BudgetError: where another process has rekeyed the folder meanwhile.
        InputError, ExecutionError: as `rekey` does.
        OSError: where the folder cannot be written to.
    """
    number = require_epoch(prover).number
    with locked(folder / REKEY_LOCK):
        counter = _usable_counter(folder)
        if counter is not None:
            require_home(counter.home, Home.of(folder / SECRET_FILE), folder)
        if current_epoch(folder) != number:
            raise BudgetError(f"{folder} was rekeyed meanwhile: load the keys again")
        moved, certificate = rekey(prover)
        path = certificate_path(folder, number + 1)
        write_atomically(path, certificate)
        sync_folder(path.parent)
        if counter is None:
            # It says nothing, and is in the way.
            (folder / COUNTER_FILE).unlink(missing_ok=True)
        ProofBudget.begin(folder, prover.verifying.schedule.initial.proofs, number + 1)
        return moved, certificate


def _usable_counter(folder: Path) -> Counter | None:
    """The folder's counter; None where it is missing or damaged."""
    try:
        return read_counter(folder)
    except BudgetError:
        return None
