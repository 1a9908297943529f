"""Which worker was faulty: its requests are made again where answers are trusted, and compared.

The self-check finds that a proof is wrong but not why. A worker can be consistent with its own wrong data, so
that no round betrays it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepprove_dist.execution.calls.requests import read_answer
from deepprove_dist.execution.group.executor import Executor
from deepprove_dist.execution.group.gathered_call import GatheredCall
from deepprove_dist.execution.group.journal import Journal


@dataclass(frozen=True)
class FaultyWorker:
    """A rank whose answer was not the right one, and where it ran.

    Attributes:
        index: the first such request, from 0.
        failure: the error that was its answer; empty where it answered with other bytes.
    """

    rank: int
    node: str
    method: str
    index: int
    failure: str = ""

    @property
    def reason(self) -> str:
        """Why it is replaced."""
        if self.failure:
            return f"it failed in '{self.method}': {self.failure}"
        return f"wrong answer to '{self.method}'"

    def __str__(self) -> str:
        what = f"failed: {self.failure}" if self.failure else "answered wrongly"
        return f"worker {self.rank} on {self.node} {what} (call {self.index}, '{self.method}')"


def first_wrong_answer(
    journal: Journal, trusted: Executor, encoded: Callable[[bytes | GatheredCall], bytes]
) -> int | None:
    """Makes a journal's requests on rank 0 of `trusted`, which has an empty state; the first that differs.

    `encoded` makes a request's bytes, with all published values in them.
    Wrong answers are corrected in the journal: the rank's replacement is compared with them.
    """
    first = None
    for index, entry in enumerate(journal.entries):
        outcome = read_answer(trusted.call({0: encoded(entry.request)})[0]).outcome
        if not entry.agrees(outcome):
            journal.correct(index, outcome)
            first = index if first is None else first
    return first
