"""Which job is next.

The highest priority goes first. Among jobs of one priority, the client whose proofs took the least time
lately is served. So a client with a thousand jobs does not keep another one waiting. A client's jobs go by
their deadlines, and then by their age. Of those that are alike, one whose key is loaded may overtake.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

RECENT_SECONDS = 600.0
"""How far back the time counts that a client's proofs took."""

OVERTAKING_SECONDS = 30.0
"""A job that waits longer is overtaken by none whose key is loaded."""


@dataclass(frozen=True)
class Waiting:
    """What decides when a queued job runs; see `Job`."""

    id: str
    sequence: int
    client: str
    key: str
    priority: int
    deadline: float | None
    created: float


def next_job(
    waiting: Sequence[Waiting], used: Mapping[str, float], loaded: Collection[str], now: float
) -> Waiting | None:
    """The job that is to run; None where none waits.

    Args:
        waiting: the queue, in any order.
        used: seconds that the proofs of each client took lately.
        loaded: names of keys that are in memory.
        now: seconds since 1970.
    """
    if not waiting:
        return None
    first = min(waiting, key=lambda job: (-job.priority, used.get(job.client, 0.0), *_order(job)))
    if first.key in loaded or now - first.created > OVERTAKING_SECONDS:
        return first
    alike = [job for job in waiting if _rank(job) == _rank(first) and job.key in loaded]
    return min(alike, key=_order, default=first)


def _rank(job: Waiting) -> tuple[int, str, float | None]:
    return job.priority, job.client, job.deadline


def _order(job: Waiting) -> tuple[float, int]:
    return inf if job.deadline is None else job.deadline, job.sequence
