"""The proofs that a proving key may still make: counted in memory, or in the folder that it is saved in.

Keys that have just been made count in memory, with the same limit. Once they are saved they count on disk,
with what they used before. So one budget is in one place at any time.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from deepprove_dist.errors import BudgetError, DeepProveError
from deepprove_dist.randomness.budget import MAX_BLOCK, ProofBudget
from deepprove_dist.randomness.reservation import Reservation

BLOCK = 16
"""Proofs that are reserved on disk at once, from the second one on: each write waits for the disk."""


class KeyBudget:
    """Reserves one proof after the other. Threads may share it; another process needs the saved keys."""

    def __init__(self, limit: int | None, epoch: int = 0) -> None:
        """A budget in memory of `limit` proofs; None where their number does not matter."""
        self._limit, self._epoch = limit, epoch
        self._used, self._process = 0, os.getpid()
        self._lock = threading.Lock()
        self._saved: ProofBudget | None = None
        self._folder: Path | None = None
        self._ended = False

    @classmethod
    def of_folder(cls, folder: Path, limit: int | None, epoch: int = 0) -> KeyBudget:
        """The budget that a folder of keys counts.

        Raises:
            SecretError, OSError: where the folder has no secret, or cannot be read.
            CopiedKeysError: where the folder was copied.
            BudgetError: where the counter is missing, damaged, or another key's.
        """
        budget = cls(limit, epoch)
        budget._saved = ProofBudget.open(folder, limit, epoch)
        budget._folder = folder.absolute()
        return budget

    @property
    def folder(self) -> Path | None:
        """Where the budget is counted; None for memory."""
        return self._folder

    @property
    def limit(self) -> int | None:
        """Proofs of the epoch; None where their number does not matter."""
        return self._limit

    @property
    def epoch(self) -> int:
        """The number of the epoch that is counted."""
        return self._epoch

    @property
    def remaining(self) -> int | None:
        """How many proofs are left; None without a limit. Raises as `of_folder` does."""
        if self._ended:
            return None if self._limit is None else 0
        if self._saved is not None:
            return self._saved.remaining
        return None if self._limit is None else self._limit - self._used

    def reserve(self) -> Reservation:
        """One proof, counted as used from now on.

        Raises:
            BudgetError: where none is left.
            OSError: where the counter cannot be written.
        """
        if self._saved is None and self._process != os.getpid():
            raise BudgetError(
                "keys that are not saved count in the process that made them. "
                "Save them, and load them in each process"
            )
        with self._lock:
            self._require_present()
            if self._saved is None:
                return self._reserve_in_memory()
            (reservation,) = self._saved.reserve()
            if self._used == 0:
                self._saved = self._in_blocks(self._saved)
            self._used += 1
            return reservation

    @contextmanager
    def saved_in(self, folder: Path) -> Iterator[None]:
        """Counts in a folder from the end of the block on, with what was used; it has the secret already.

        Raises:
            BudgetError: where the budget is in a folder already, or the folder counts another one.
            OSError: where the folder cannot be written to.
        """
        with self._lock:
            if self._folder is not None:
                raise saved_already(self._folder, folder)
            self._require_present()
            ProofBudget.begin(folder, self._limit, self._epoch)
            saved = ProofBudget.open(folder, self._limit, self._epoch)
            for first in range(0, self._used, MAX_BLOCK):
                saved.reserve(min(MAX_BLOCK, self._used - first))
            yield
            self._saved, self._folder, self._used = saved, folder.absolute(), 0

    def end(self) -> None:
        """Ends the epoch: the next one has a budget. Raises BudgetError where that was done before."""
        with self._lock:
            self._require_present()
            self._ended = True

    def _require_present(self) -> None:
        if self._ended:
            raise BudgetError("these keys were rekeyed: prove with those of the next epoch")

    def __repr__(self) -> str:
        return f"KeyBudget({self._limit}, {self._epoch}, folder={self._folder})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a budget is neither pickled nor copied: two would hand out the same numbers")

    def _reserve_in_memory(self) -> Reservation:
        if self._limit is not None and self._used >= self._limit:
            raise BudgetError(
                f"these keys may make {self._limit} proofs in epoch {self._epoch}, and have none left. "
                "Rekey them: that makes the next epoch, with a new budget"
            )
        self._used += 1
        return Reservation.draw(self._epoch, self._used - 1)

    def _in_blocks(self, saved: ProofBudget) -> ProofBudget:
        """The same budget for a process that makes many proofs; what is left of a block is given back."""
        assert self._folder is not None
        larger = ProofBudget(self._folder, self._limit, self._epoch, BLOCK)
        saved.close()
        weakref.finalize(self, _close, larger)
        return larger


def saved_already(folder: Path, other: Path) -> BudgetError:
    """What to say where keys that are in a folder are to be saved to another one as well."""
    return BudgetError(
        f"these keys are saved in {folder}, and not to {other} as well. Two copies would spend one budget "
        "twice. Move the folder, or set up again for keys of another secret"
    )


def _close(budget: ProofBudget) -> None:
    """At the end of a key or of the process; a folder that is gone by then counts no more."""
    with suppress(DeepProveError, OSError):
        budget.close()
