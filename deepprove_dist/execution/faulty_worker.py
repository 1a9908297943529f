"""Who lied: a worker's calls are made again where answers are trusted, and compared with what it said.

The self-check finds that a proof is wrong but not why, and a worker can be consistent with its own wrong
data, so that no round betrays it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepprove_dist.execution.all_gather import GatheredCall
from deepprove_dist.execution.executor import Executor
from deepprove_dist.execution.journal import Journal


@dataclass(frozen=True)
class FaultyWorker:
    """A rank that answered wrongly: where it ran, and the first call whose answer was wrong, from 0."""

    rank: int
    node: str
    method: str
    index: int


def first_wrong_answer(
    journal: Journal, trusted: Executor, encoded: Callable[[bytes | GatheredCall], bytes]
) -> int | None:
    """Makes a journal's calls on rank 0 of `trusted`, which has an empty state; the first that differs.

    `encoded` makes a call's bytes, with all that it takes from other ranks in them.
    Wrong answers are corrected in the journal: the rank's replacement is compared with them.
    """
    first = None
    for index, entry in enumerate(journal.entries):
        answer = trusted.call({0: encoded(entry.request)})[0]
        if not entry.agrees(answer):
            journal.correct(index, answer)
            first = index if first is None else first
    return first
