"""Requests that wait for jobs: woken where the runner is in this process, and looking again elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from deepprove_dist.service.events import JobEvent, JobEventKind

_ENDS = (JobEventKind.DONE, JobEventKind.FAILED, JobEventKind.CANCELLED)


REMEMBERED = 256


class Waiters:
    """Events of the requests that wait, by job. Any thread may wake them.

    The last jobs that ended are remembered: a request may begin to wait for a job when that has just ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self.woken = False

    @contextmanager
    def waiting(self, job: str) -> Iterator[asyncio.Event]:
        """An event that is set when the job ends, if anybody says so here."""
        entry = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._events.setdefault(job, []).append(entry)
            if job in self._ended:
                entry[1].set()
        try:
            yield entry[1]
        finally:
            with self._lock:
                self._events[job].remove(entry)
                if not self._events[job]:
                    del self._events[job]

    def observe(self, event: JobEvent) -> None:
        """Wakes those who wait for a job that has ended: an `Observer`."""
        if event.kind in _ENDS:
            self.woken = True
            with self._lock:
                self._ended.append(event.job)
                for loop, waiting in self._events.get(event.job, ()):
                    loop.call_soon_threadsafe(waiting.set)
