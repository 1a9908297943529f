"""Requests that wait for jobs: woken where the runner is in this process, and looking again elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deepprove_dist.service.events import JobEvent, JobEventKind
from deepprove_dist.service.job import Job

_ENDS = (JobEventKind.DONE, JobEventKind.FAILED, JobEventKind.CANCELLED)


REMEMBERED = 256


@dataclass
class WaitingRequest:
    """A request that waits for a job.

    Attributes:
        ended: is set when the job ends, if anybody says so here.
        done: the job as it is then, where its runner has handed it over; nobody need ask the store.
        proof: of that job, where the database has it.
    """

    loop: asyncio.AbstractEventLoop
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    done: Job | None = None
    proof: bytes | None = None


class Waiters:
    """Requests that wait, by job. Any thread may wake them.

    The last jobs that ended are remembered: a request may begin to wait for a job when that has just ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: dict[str, list[WaitingRequest]] = {}
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self.woken = False

    @contextmanager
    def waiting(self, job: str) -> Iterator[WaitingRequest]:
        """Waits for a job, by its id."""
        wait = WaitingRequest(asyncio.get_running_loop())
        with self._lock:
            self._waits.setdefault(job, []).append(wait)
            if job in self._ended:
                wait.ended.set()
        try:
            yield wait
        finally:
            with self._lock:
                self._waits[job].remove(wait)
                if not self._waits[job]:
                    del self._waits[job]

    def hand_over(self, job: Job, proof: bytes | None) -> None:
        """Gives those who wait for a job that is done the job and its proof."""
        with self._lock:
            for wait in self._waits.get(job.id, ()):
                wait.done, wait.proof = job, proof
        self._wake(job.id)

    def observe(self, event: JobEvent) -> None:
        """Wakes those who wait for a job that has ended: an `Observer`."""
        if event.kind in _ENDS:
            self._wake(event.job)

    def _wake(self, job: str) -> None:
        self.woken = True
        with self._lock:
            if job not in self._ended:
                self._ended.append(job)
            for wait in self._waits.get(job, ()):
                wait.loop.call_soon_threadsafe(wait.ended.set)
