"""A budget of proofs: how many a key may still make in its epoch.

A proof shows some rows of the committed weights. An epoch has enough random rows for a number of proofs.
So proofs are counted on disk, beside the key. Their numbers are reserved there before they are used: in
blocks, written, and synced with their folder. No number is ever handed out twice:

- A crash at any point loses at most what is left of a block. A full disk raises OSError, and nothing is
  handed out.
- Processes of one machine take turns by a lock on `proofs.lock`, threads by one more in the process.
- A process that was forked off takes no number of its parent's block.
- On NFS a second machine is refused like a copy, as the counter names the machine that it was begun on.
  Where machines have no id, they take turns as `lock` says.
- A folder that was copied is refused, as far as `home` can see that. `ProofBudget.adopt` accepts it.

A counter that was put back to an older state cannot be seen. A restored backup of this one file does so, or
of a whole virtual machine. Random values of proofs stay fresh then, by the bytes of the operating system in
each reservation. But the budget may be exceeded, and a key beyond its budget no longer hides its weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from deepprove_dist.canonical import replace
from deepprove_dist.choices import require_count
from deepprove_dist.errors import BudgetError
from deepprove_dist.randomness.block import Block
from deepprove_dist.randomness.counter import (
    COUNTER_FILE,
    FORMAT,
    LOCK_FILE,
    MAX_PROOFS,
    UNKNOWN,
    VERSION,
    Counter,
    read_counter,
    write_counter,
)
from deepprove_dist.randomness.home import Home, require_home
from deepprove_dist.randomness.lock import locked
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import SECRET_FILE

MAX_BLOCK = 1 << 16
"""The most numbers to reserve at once."""
LARGEST_SHARE = 16
"""A block is at most one part in so many of what remains."""


class ProofBudget:
    """Proofs that a key may still make: `begin` starts an epoch, `open` goes on with it.

    Use it as a context, or `close` it, to give back the numbers of its block that nothing was made of.

    Example:
        >>> with ProofBudget.open(folder, limit=1000, epoch=0) as budget:
        ...     (reservation,) = budget.reserve()
    """

    def __init__(self, folder: Path, limit: int | None, epoch: int, block: int) -> None:
        """Use `open`, which checks what is on disk too. Raises ChoiceError."""
        _require(limit, epoch)
        require_count("block", block, 1, MAX_BLOCK)
        # A relative path would mean another folder after a change of the working one.
        self._folder, self._limit, self._epoch, self._block = folder.absolute(), limit, epoch, block
        self._reserved = Block()

    @classmethod
    def begin(cls, folder: Path, limit: int | None, epoch: int) -> None:
        """Writes the counter of a new epoch, beside the secret in the folder.

        It may be called again for as long as no proof of the epoch was reserved.

        Args:
            folder: of the keys.
            limit: how many proofs the epoch allows; None where their number does not matter.
            epoch: its number, from 0; later than that of a counter which is there already.

        Raises:
            ChoiceError: for numbers out of range.
            SecretError, OSError: where the folder has no secret, or cannot be written to.
            BudgetError: where the folder counts this epoch or a later one, or its counter is damaged.
        """
        _require(limit, epoch)
        with locked(folder / LOCK_FILE):
            counter = Counter(FORMAT, VERSION, epoch, limit, 0, Home.of(folder / SECRET_FILE))
            older = read_counter(folder)
            if older is not None and older != counter and older.epoch >= epoch:
                raise BudgetError(f"{folder} counts proofs of epoch {older.epoch} already, not of {epoch}")
            write_counter(folder, counter)

    @classmethod
    def open(cls, folder: Path, limit: int | None, epoch: int, *, block: int = 1) -> ProofBudget:
        """The budget of a key, by the counter beside it.

        Args:
            folder: of the keys.
            limit: that of the key's epoch; None where the number of proofs does not matter.
            epoch: the key's.
            block: how many numbers to reserve at once; a prover of many proofs spares writes with more.

        Raises:
            ChoiceError: for numbers out of range.
            SecretError, OSError: where the folder has no secret, or cannot be read.
            CopiedKeysError: where the folder was copied.
            BudgetError: where the counter is missing, damaged, or of another epoch or limit.
        """
        budget = cls(folder, limit, epoch, block)
        budget._read()
        return budget

    @staticmethod
    def adopt(folder: Path) -> None:
        """Lets a folder of keys prove where it is now; no other copy of it may prove any more.

        Raises:
            SecretError, OSError: where the folder has no secret, or cannot be written to.
            BudgetError: where the counter is missing or damaged.
        """
        with locked(folder / LOCK_FILE):
            counter = _require_counter(folder)
            write_counter(folder, replace(counter, home=Home.of(folder / SECRET_FILE)))

    @property
    def remaining(self) -> int | None:
        """How many proofs can be reserved here now; None without a limit. Raises as `open` does."""
        with self._reserved.lock:
            counter = self._read()
            return (
                None if counter.limit is None else counter.limit - counter.used + len(self._reserved.numbers)
            )

    def reserve(self, count: int = 1) -> list[Reservation]:
        """That many proofs, counted as used from now on, in rising order of their numbers.

        Raises:
            ChoiceError: for a count below 1, or far too large.
            BudgetError: where fewer are left; then none is used.
            OSError: where the counter cannot be written; then none is handed out.
        """
        require_count("count", count, 1, MAX_BLOCK)
        with self._reserved.lock:
            if count > len(self._reserved.numbers):
                self._reserved.numbers += self._take(count - len(self._reserved.numbers))
            numbers, self._reserved.numbers = self._reserved.numbers[:count], self._reserved.numbers[count:]
        return [Reservation.draw(self._epoch, number) for number in numbers]

    def close(self) -> None:
        """Gives back the numbers at the top of the counter that were reserved here and not handed out.

        Others that were not handed out count as used. Raises as `reserve` does; then all of them do.
        """
        with self._reserved.lock:
            # First, so that nothing is both given back and handed out.
            numbers, self._reserved.numbers = self._reserved.numbers, []
            if not numbers:
                return
            with locked(self._folder / LOCK_FILE):
                counter = self._read()
                used = counter.used
                while numbers and numbers[-1] == used - 1:
                    used = numbers.pop()
                if used < counter.used:
                    write_counter(self._folder, replace(counter, used=used))

    def __enter__(self) -> ProofBudget:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ProofBudget({str(self._folder)!r}, limit={self._limit}, epoch={self._epoch})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a budget is neither pickled nor copied: two would hand out the same numbers")

    def _take(self, count: int) -> range:
        """Reserves a block of `count` numbers at least."""
        with locked(self._folder / LOCK_FILE):
            counter = self._read()
            size = max(count, self._block)
            if counter.limit is not None:
                left = counter.limit - counter.used
                if count > left:
                    raise self._spent(left + len(self._reserved.numbers))
                size = max(count, min(self._block, left // LARGEST_SHARE))
            end = counter.used + size
            write_counter(self._folder, replace(counter, used=end))
        return range(counter.used, end)

    def _spent(self, left: int) -> BudgetError:
        begin = f"{self._folder} may make {self._limit} proofs in epoch {self._epoch}, and"
        state = f"only {left} of them are left" if left else "has none left"
        return BudgetError(f"{begin} {state}; rekey makes the next epoch, with a new budget")

    def _read(self) -> Counter:
        """The counter, if it is this budget's and at home."""
        counter = _require_counter(self._folder)
        if (counter.epoch, counter.limit) != (self._epoch, self._limit):
            advice = "load the keys again" if counter.epoch > self._epoch else "rekey makes the next epoch"
            raise BudgetError(
                f"{self._folder / COUNTER_FILE} counts {_words(counter.limit, counter.epoch)}, "
                f"and the key is for {_words(self._limit, self._epoch)}; {advice}"
            )
        require_home(counter.home, Home.of(self._folder / SECRET_FILE), self._folder)
        return counter


def _require(limit: int | None, epoch: int) -> None:
    if limit is not None:
        require_count("limit", limit, 1, MAX_PROOFS)
    require_count("epoch", epoch, 0, MAX_PROOFS)


def _require_counter(folder: Path) -> Counter:
    counter = read_counter(folder)
    if counter is None:
        raise BudgetError(f"{folder} has no {COUNTER_FILE}, {UNKNOWN}")
    return counter


def _words(limit: int | None, epoch: int) -> str:
    return f"{'any number of' if limit is None else limit} proofs in epoch {epoch}"
