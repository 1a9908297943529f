"""What a rank was asked and what it answered: its state is a function of the requests, so they rebuild it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from deepprove_dist.execution.calls.requests import Outcome
from deepprove_dist.execution.group.gathered_call import GatheredCall


@dataclass(frozen=True)
class Entry:
    """A request, its number among those of a group, the method's name, and the digest of the outcome.

    A `GatheredCall` has no bytes of its own: it may be sent in more ways than one. `failure` says which error
    was the outcome; it is empty where there was none.
    """

    number: int
    method: str
    request: bytes | GatheredCall = field(repr=False)
    digest: bytes
    failure: str = ""

    def agrees(self, outcome: Outcome) -> bool:
        """Whether an outcome of the same request is the same."""
        return outcome.digest() == self.digest


class Journal:
    """The requests of one rank, oldest first. Those between `begin` and `end` are of one proof."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._begun: int | None = None

    def add(self, number: int, method: str, request: bytes | GatheredCall, outcome: Outcome) -> None:
        """Appends a request that was answered."""
        failure = "" if outcome.failure is None else str(outcome.failure)
        self.entries.append(Entry(number, method, request, outcome.digest(), failure))

    def begin(self) -> None:
        """What was asked until now stays for the rank's life."""
        self._begun = len(self.entries)

    def forget(self, after: int) -> None:
        """Forgets those of the proof's requests that have a greater number."""
        if self._begun is not None:
            self.entries[self._begun :] = [e for e in self.entries[self._begun :] if e.number <= after]

    def end(self) -> None:
        """Forgets the proof."""
        self.forget(-1)
        self._begun = None

    def correct(self, index: int, outcome: Outcome) -> None:
        """The request's true outcome is this one."""
        self.entries[index] = replace(self.entries[index], digest=outcome.digest())
