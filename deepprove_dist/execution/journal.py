"""What a rank was asked and what it answered: its state is a function of the calls, so they rebuild it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from deepprove_dist.execution.all_gather import GatheredCall
from deepprove_dist.execution.messages import answer_digest


@dataclass(frozen=True)
class Entry:
    """A call as it was sent, its number among a group's calls, and the digest of its answer.

    One that takes what ranks keep has no bytes of its own: it may be sent in more ways than one.
    """

    number: int
    method: str
    request: bytes | GatheredCall = field(repr=False)
    digest: bytes

    def agrees(self, answer: bytes) -> bool:
        """Whether an answer to the same call is the same."""
        return answer_digest(answer) == self.digest


class Journal:
    """The calls of one rank, oldest first. Those between `begin` and `end` are of one proof."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._begun: int | None = None

    def add(self, number: int, method: str, request: bytes | GatheredCall, answer: bytes) -> None:
        """Appends a call that was answered."""
        self.entries.append(Entry(number, method, request, answer_digest(answer)))

    def begin(self) -> None:
        """What was called until now stays for the rank's life."""
        self._begun = len(self.entries)

    def forget(self, after: int) -> None:
        """Forgets those of the proof's calls that have a greater number."""
        if self._begun is not None:
            self.entries[self._begun :] = [e for e in self.entries[self._begun :] if e.number <= after]

    def end(self) -> None:
        """Forgets the proof."""
        self.forget(-1)
        self._begun = None

    def correct(self, index: int, answer: bytes) -> None:
        """The call's true answer is this one."""
        self.entries[index] = replace(self.entries[index], digest=answer_digest(answer))
