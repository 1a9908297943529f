"""What any runner does for all jobs: those of dead runners go back, late ones fail, old ones are removed."""

from __future__ import annotations

from collections.abc import Callable

from deepprove_dist.service.artifacts import Artifacts
from deepprove_dist.service.events import JobEventKind
from deepprove_dist.service.job import JobState
from deepprove_dist.service.job_trace import StopReason
from deepprove_dist.service.store import JobStore

_CLEANING_SECONDS = 60.0


class Caretaker:
    """Looks after the jobs of a store; every runner has one, and they are in nobody's way."""

    def __init__(
        self,
        store: JobStore,
        artifacts: Artifacts,
        keep_seconds: float,
        tell: Callable[..., None],
        clock: Callable[[], float],
    ) -> None:
        """`tell` is called with an event's kind, its job and its reason."""
        self._store, self._artifacts, self._keep_seconds = store, artifacts, keep_seconds
        self._tell, self._clock = tell, clock
        self._cleaned = 0.0

    def look_after(self) -> None:
        """Once around all jobs. Raises SQLAlchemy's errors, OSError."""
        returned, failed = self._store.leases.recover()
        for job in returned:
            self._tell(JobEventKind.RETURNED, job, reason="its runner was lost")
        for job in failed:
            kind = JobEventKind.CANCELLED if job.state is JobState.CANCELLED else JobEventKind.FAILED
            self._tell(kind, job, reason=job.problem or StopReason.CANCELLED.value)
        for job in self._store.expire():
            self._tell(JobEventKind.FAILED, job, reason="deadline")
        if self._clock() - self._cleaned > _CLEANING_SECONDS:
            self._cleaned = self._clock()
            for job in self._store.list_old(self._keep_seconds):
                # Its files first: what has no row any more would stay for ever.
                self._artifacts.remove(job.id)
                self._store.remove(job)
                self._tell(JobEventKind.REMOVED, job)
