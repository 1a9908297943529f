"""What a seat was asked and what it answered: its state is a function of the calls, so they rebuild it."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepprove_dist.execution.messages import answer_digest


@dataclass(frozen=True)
class Entry:
    """A call as it was sent, and the digest of its answer."""

    method: str
    request: bytes = field(repr=False)
    digest: bytes

    def agrees(self, answer: bytes) -> bool:
        """Whether an answer to the same call is the same."""
        return answer_digest(answer) == self.digest


class Journal:
    """The calls of one seat, oldest first. Those after `begin` are forgotten by `end`, the others stay."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._kept = 0

    def add(self, method: str, request: bytes, answer: bytes) -> None:
        """Appends a call that was answered."""
        self.entries.append(Entry(method, request, answer_digest(answer)))

    def begin(self) -> None:
        """What was called until now stays for the seat's life."""
        self._kept = len(self.entries)

    def end(self) -> None:
        """Forgets what was called since `begin`."""
        del self.entries[self._kept :]

    def correct(self, index: int, answer: bytes) -> None:
        """The call's true answer is this one."""
        entry = self.entries[index]
        self.entries[index] = Entry(entry.method, entry.request, answer_digest(answer))
