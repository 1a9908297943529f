"""How a job ends at its runner: done, failed, cancelled, or back in the queue for another attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from deepprove_dist.errors import BudgetError, ExecutionError, InputError, MemoryLimitError, first_line
from deepprove_dist.service.artifacts import INPUTS, Artifacts
from deepprove_dist.service.events import JobEventKind
from deepprove_dist.service.job import FailureCode, Job
from deepprove_dist.service.job_trace import StopReason
from deepprove_dist.service.leases import LEASE_SECONDS, MAX_ATTEMPTS, LeaseLost
from deepprove_dist.service.store import JobStore

logger = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.5
_MAY_PASS = (BudgetError, ExecutionError, OSError, SQLAlchemyError, MemoryError)
"""Of these another attempt may be free."""


class JobEndings:
    """Writes into the store what became of jobs that a runner has."""

    def __init__(self, store: JobStore, artifacts: Artifacts) -> None:
        self._store, self._artifacts = store, artifacts

    def stopped(self, job: Job, reason: StopReason) -> tuple[JobEventKind, str]:
        """Ends a job that is not wanted any more: the event's kind and reason."""
        codes = {StopReason.DEADLINE: FailureCode.DEADLINE, StopReason.TIMEOUT: FailureCode.TIMEOUT}
        try:
            if reason is StopReason.CANCELLED:
                self.patiently(lambda: self._store.leases.abandon(job))
                self.forget_inputs(job)
                return JobEventKind.CANCELLED, reason.value
            if reason in codes:
                return self._fail(job, codes[reason], reason.value)
            if reason is StopReason.DRAINING:
                self.patiently(lambda: self._store.leases.give_back(job, counted=False))
        except LeaseLost:
            pass
        return JobEventKind.RETURNED, reason.value

    def failed(self, job: Job, error: Exception, *, rekeyed: bool) -> tuple[JobEventKind, str]:
        """Ends a job, or returns it to the queue where another attempt may help.

        `rekeyed` are keys of which there is a newer epoch by now. Returns the event's kind and reason.
        """
        problem = first_line(error)
        try:
            if isinstance(error, InputError):
                return self._fail(job, FailureCode.INPUT, problem)
            if isinstance(error, MemoryLimitError):
                return self._fail(job, FailureCode.MEMORY, problem)
            if isinstance(error, BudgetError) and not rekeyed:
                return self._fail(job, FailureCode.BUDGET, problem)
            if not isinstance(error, _MAY_PASS):
                return self._fail(job, FailureCode.INTERNAL, problem)
            if job.attempts >= MAX_ATTEMPTS:
                return self._fail(job, FailureCode.ATTEMPTS, f"{job.attempts} attempts; the last: {problem}")
            self.patiently(lambda: self._store.leases.give_back(job))
        except LeaseLost:
            pass
        return JobEventKind.RETURNED, problem

    def forget_inputs(self, job: Job) -> None:
        """Inputs are of no use any more; where they cannot be removed now, they go with the job."""
        with suppress(OSError):
            self._artifacts.remove_file(job.id, 0, INPUTS)

    def patiently(self, work: Callable[[], object]) -> None:
        """Does something with the store; again where it fails, for as long as the lease lasts without it."""
        end = time.monotonic() + LEASE_SECONDS
        while True:
            try:
                work()
            except SQLAlchemyError as error:
                if time.monotonic() > end:
                    # The lease runs out, and the job goes to another runner.
                    logger.warning("the job store fails: %s", first_line(error))
                    return
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _fail(self, job: Job, code: FailureCode, problem: str) -> tuple[JobEventKind, str]:
        self.patiently(lambda: self._store.leases.fail(job, code, problem))
        self.forget_inputs(job)
        return JobEventKind.FAILED, f"{code.value}: {problem}"
