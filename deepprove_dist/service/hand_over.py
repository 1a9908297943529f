"""A new job goes straight to a runner of this process that has nothing to do, and need not be looked for.

The runner is reserved before the job is written down. So the job's row says from the beginning who has it,
and one transaction accepts and begins it. Whatever dies afterwards, the row is that of a job that a runner
has claimed.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from deepprove_dist.service.job import Job


@dataclass(frozen=True)
class GivenJob:
    """A job that a runner has by now, and its inputs."""

    job: Job
    inputs: bytes


class HandOver:
    """Between the threads of submissions and a runner, which waits here for something to do.

    Attributes:
        runner: the id of the runner.
    """

    def __init__(self) -> None:
        self.runner = secrets.token_hex(16)
        self._changed = threading.Condition()
        self._waiting = self._reserved = self._woken = self._closed = False
        self._given: GivenJob | None = None

    def reserve(self) -> bool:
        """Keeps a runner that has nothing to do for one job: `give` it, or `withdraw`, whatever happens."""
        with self._changed:
            free = self._waiting and not (self._reserved or self._closed)
            self._reserved = self._reserved or free
            return free

    def give(self, job: Job, inputs: bytes) -> None:
        """Gives the runner that was reserved its job, which the store knows by now."""
        with self._changed:
            self._given = GivenJob(job, inputs)
            self._changed.notify_all()

    def withdraw(self) -> None:
        """There is no job for the runner that was reserved."""
        with self._changed:
            self._reserved = False
            self._changed.notify_all()

    def wake(self) -> None:
        """There is a job in the store: the runner need not wait any longer."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """The runner takes nothing more, beside the job that it is reserved for."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> GivenJob | None:
        """The runner's call: the job that it was given, or None once it was woken or the time is over."""
        with self._changed:
            self._waiting = True
            self._changed.wait_for(lambda: self._given or self._woken or self._closed, seconds)
            # A submission that is being written down: its thread goes on whatever happens.
            self._changed.wait_for(lambda: self._given or not self._reserved)
            given, self._given = self._given, None
            self._waiting = self._reserved = self._woken = False
            return given
