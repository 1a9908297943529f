"""Jobs in a database: SQLite by default, or any that SQLAlchemy speaks.

What clients ask for is here. What runners do with jobs is in `leases`, and what they say of themselves in
`runner_records`. Clocks of machines that share a database must agree to a few seconds.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from deepprove_dist.errors import DeepProveError
from deepprove_dist.service import statements
from deepprove_dist.service.engines import open_engines
from deepprove_dist.service.job import FailureCode, Job, JobState, Submission
from deepprove_dist.service.job_rows import SUBMITTED, ending, job_of_row
from deepprove_dist.service.leases import LEASE_SECONDS, Leases
from deepprove_dist.service.runner_records import RunnerRecords
from deepprove_dist.service.tables import JOBS, METADATA, PROOFS

INLINE_BYTES = 1 << 18
"""Inputs and proofs that are no longer go into the database, in the transaction that accepts or ends the job.

So they wait for the disk once, and not for files of their own.
"""


@dataclass(frozen=True)
class Kept:
    """Attributes:
    inputs: for the job's row; None where they are kept elsewhere.
    runner: that has the job from the beginning; None where it waits in the queue.
    """

    inputs: bytes | None = None
    runner: str | None = None


class SubmissionConflict(DeepProveError):
    """The client used this idempotency key before, for another submission."""


class JobStore:
    """Keeps jobs; threads and processes may share a database. Times are seconds since 1970, by `clock`.

    Attributes:
        leases: what runners do with jobs.
        runners: those that live.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        """Opens a database, and makes its tables where there are none. Raises SQLAlchemy's errors."""
        self._engines, self._clock = open_engines(url), clock
        self._engine, self._relaxed = self._engines.durable, self._engines.relaxed
        METADATA.create_all(self._engine)
        self.leases = Leases(self._engines, clock)
        self.runners = RunnerRecords(self._engines, clock)

    def close(self) -> None:
        """Closes all connections."""
        self._engines.close()

    def submit(
        self,
        submission: Submission,
        keep: Callable[[str], Kept],
        begin: Callable[[Job], object] = lambda job: None,
    ) -> tuple[Job, bool]:
        """The job of a submission, and whether it is new. Once this returns, the job is on disk.

        Args:
            submission: what the client asks for.
            keep: called with the id of a new job. It says where its inputs are, and who has it. The job is
                accepted afterwards.
            begin: called with a new job that runners can see: they need not wait for the disk.

        Raises:
            SubmissionConflict: where its idempotency key was used for another submission.
            OSError: where the disk fails. The job may run all the same.
        """
        job, new = self._submit(submission, keep)
        if new:
            begin(job)
        # Also for a job that was known: its first submission may still wait for the disk.
        self._engines.sync()
        return job, new

    def _submit(self, submission: Submission, keep: Callable[[str], Kept]) -> tuple[Job, bool]:
        if (known := self._known(submission)) is not None:
            return known, False
        now, job_id = self._clock(), secrets.token_hex(16)
        kept = keep(job_id)
        job = Job(
            job_id,
            0,
            state=JobState.QUEUED,
            **{name: getattr(submission, name) for name in SUBMITTED},
            created=now,
            deadline=None if submission.seconds is None else now + submission.seconds,
        )
        if kept.runner is not None:
            job = replace(job, state=JobState.RUNNING, runner=kept.runner, attempts=1, started=now)
        row = {
            "inputs": kept.inputs,
            "idempotency_key": submission.idempotency_key,
            "digest": submission.digest,
            **{name: getattr(job, name) for name in ("id", "created", "deadline", "attempts", "stopping")},
            **{name: getattr(job, name) for name in (*SUBMITTED, "runner", "started")},
            "lease": None if job.started is None else now + LEASE_SECONDS,
            "state": job.state.value,
        }
        try:
            with self._relaxed.begin() as connection:
                (sequence,) = connection.execute(statements.INSERT, row).inserted_primary_key or (0,)
        except IntegrityError:
            # The same submission has come twice at once.
            if (known := self._known(submission)) is None:
                raise
            return known, False
        return replace(job, sequence=sequence), True

    def inputs(self, job: Job) -> bytes | None:
        """The inputs in a job's row; None where they are elsewhere, or the job has ended."""
        with self._engine.connect() as connection:
            return connection.execute(statements.INPUTS, {"id": job.id}).scalar()

    def get(self, job_id: str, client: str | None = None) -> Job:
        """A job, of that client if one is named. Raises KeyError where there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(statements.BY_ID, {"id": job_id}).one_or_none()
        if row is None or client not in (None, row.client):
            raise KeyError(job_id)
        return job_of_row(row)

    def list_jobs(
        self, client: str, state: JobState | None = None, before: int | None = None, limit: int = 100
    ) -> list[Job]:
        """A client's jobs, the latest first; `before` is the sequence number of the first one left out."""
        query = select(*statements.COLUMNS).where(JOBS.c.client == client)
        if state is not None:
            query = query.where(JOBS.c.state == state.value)
        if before is not None:
            query = query.where(JOBS.c.sequence < before)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(JOBS.c.sequence.desc()).limit(limit))
            return list(map(job_of_row, rows))

    def counts(self, client: str | None = None) -> dict[str, int]:
        """How many jobs are in each state, of all clients or of one."""
        query = select(JOBS.c.state, func.count()).group_by(JOBS.c.state)
        if client is not None:
            query = query.where(JOBS.c.client == client)
        with self._engine.connect() as connection:
            counted = dict(map(tuple, connection.execute(query)))
        return {state.value: counted.get(state.value, 0) for state in JobState}

    def queued(self, client: str, key: str) -> tuple[int, int, int]:
        """How many jobs wait, of all clients and of one; and those of a key that have no number yet."""
        with self._engine.connect() as connection:
            counts = connection.execute(statements.QUEUED, {"client": client, "key": key})
            total, mine, without_number = counts.one()
        return total, mine, without_number

    def proof(self, job: Job) -> bytes | None:
        """The proof of a job that is done; None where the artifacts have it, or the job was removed."""
        with self._engine.connect() as connection:
            return connection.execute(statements.PROOF, {"id": job.id}).scalar()

    def cancel(self, job_id: str, client: str) -> Job:
        """Cancels a job that waits, and asks for the end of one that is running. Raises KeyError."""
        self.get(job_id, client)
        queued = ending(JobState.CANCELLED, self._clock())
        if not self._change(job_id, queued, statements.WAITS):
            self._change(job_id, {"stopping": True}, statements.RUNS)
        return self.get(job_id)

    def expire(self) -> list[Job]:
        """Fails the jobs that still wait at their deadline; those that it failed."""
        with self._engine.connect() as connection:
            query = select(*statements.COLUMNS).where(statements.WAITS, JOBS.c.deadline < self._clock())
            late = [job_of_row(row) for row in connection.execute(query)]
        changes = {
            **ending(JobState.FAILED, self._clock()),
            "code": FailureCode.DEADLINE.value,
            "problem": "its deadline came before its turn",
        }
        return [self.get(job.id) for job in late if self._change(job.id, changes, statements.WAITS)]

    def list_old(self, seconds: float, limit: int = 100) -> list[Job]:
        """Jobs that ended longer ago than that."""
        query = select(*statements.COLUMNS).where(JOBS.c.finished < self._clock() - seconds).limit(limit)
        with self._engine.connect() as connection:
            return [job_of_row(row) for row in connection.execute(query)]

    def remove(self, job: Job) -> None:
        """Forgets a job that has ended."""
        with self._engine.begin() as connection:
            connection.execute(delete(JOBS).where(JOBS.c.id == job.id, JOBS.c.finished.is_not(None)))
            connection.execute(delete(PROOFS).where(PROOFS.c.job == job.id))

    def _known(self, submission: Submission) -> Job | None:
        if submission.idempotency_key is None:
            return None
        asked = {"client": submission.client, "idempotency_key": submission.idempotency_key}
        with self._engine.connect() as connection:
            row = connection.execute(statements.KNOWN, asked).one_or_none()
        if row is not None and row.digest != submission.digest:
            raise SubmissionConflict(
                f"the idempotency key {submission.idempotency_key!r} was used for another submission, "
                f"which is job {row.id}"
            )
        return None if row is None else job_of_row(row)

    def _change(self, job_id: str, changes: Mapping[str, Any], condition: Any) -> bool:
        """Changes a job of which a condition holds; whether it did."""
        statement = update(JOBS).where(JOBS.c.id == job_id, condition).values(**changes)
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1
