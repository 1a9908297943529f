"""Jobs in a database: SQLite by default, or any that SQLAlchemy speaks.

A runner holds its job by a lease, which it renews. What it writes counts only while it has the job: each of
its statements names the runner and the attempt. So a runner that was thought dead changes nothing. Clocks of
machines that share a database must agree to a few seconds.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, Update, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from deepprove_dist.errors import DeepProveError
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.service import statements
from deepprove_dist.service.engines import open_engines
from deepprove_dist.service.job import FailureCode, Job, JobState, Submission
from deepprove_dist.service.schedule import RECENT_SECONDS, Waiting, next_job
from deepprove_dist.service.tables import JOBS, METADATA, PROOFS, RUNNERS

LEASE_SECONDS = 10.0
"""A runner that has not renewed its lease for so long has lost its job."""

MAX_ATTEMPTS = 3
"""A job that has ended so many runners is not begun again."""

INLINE_BYTES = 1 << 18
"""Inputs and proofs that are no longer go into the database, in the transaction that accepts or ends the job.

So they wait for the disk once, and not for files of their own.
"""

_SUBMITTED = ("client", "key", "priority", "context", "clamp", "carry")
_CLIENTS_COMPARED, _JOBS_COMPARED = 20, 50
_FORGET_RUNNERS = 3600.0


class SubmissionConflict(DeepProveError):
    """The client used this idempotency key before, for another submission."""


class LeaseLost(DeepProveError):
    """Another runner has the job, or it has ended: what this one computes is not wanted any more."""


@dataclass(frozen=True)
class RunnerRecord:
    """A runner that has been seen lately, and what it says of itself."""

    id: str
    started: float
    seen: float
    status: Mapping[str, Any]


class JobStore:
    """Keeps jobs; threads and processes may share a database. Times are seconds since 1970, by `clock`."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        """Opens a database, and makes its tables where there are none. Raises SQLAlchemy's errors."""
        self._engines, self._clock = open_engines(url), clock
        self._engine, self._relaxed = self._engines.durable, self._engines.relaxed
        METADATA.create_all(self._engine)

    def close(self) -> None:
        """Closes all connections."""
        self._engines.close()

    def submit(
        self,
        submission: Submission,
        keep: Callable[[str], bytes | None],
        begin: Callable[[Job], object] = lambda job: None,
    ) -> tuple[Job, bool]:
        """The job of a submission, and whether it is new. Once this returns, the job is on disk.

        Args:
            submission: what the client asks for.
            keep: called with the id of a new job. It keeps the inputs elsewhere, or returns them for the
                job's row. The job is accepted afterwards.
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

    def _submit(self, submission: Submission, keep: Callable[[str], bytes | None]) -> tuple[Job, bool]:
        if (known := self._known(submission)) is not None:
            return known, False
        now, job_id = self._clock(), secrets.token_hex(16)
        job = Job(
            job_id,
            0,
            state=JobState.QUEUED,
            **{name: getattr(submission, name) for name in _SUBMITTED},
            created=now,
            deadline=None if submission.seconds is None else now + submission.seconds,
        )
        row = {
            "inputs": keep(job_id),
            "idempotency_key": submission.idempotency_key,
            "digest": submission.digest,
            **{name: getattr(job, name) for name in ("id", "created", "deadline", "attempts", "stopping")},
            **{name: getattr(job, name) for name in _SUBMITTED},
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
        return _job(row)

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
            return [
                _job(row) for row in connection.execute(query.order_by(JOBS.c.sequence.desc()).limit(limit))
            ]

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

    def claim(self, runner: str, loaded: Collection[str] = (), keys: Collection[str] = ()) -> Job | None:
        """The next job, which the runner has from now on; None where none waits.

        `loaded` are the keys that it has in memory, `keys` those that it can prove with.
        """
        now = self._clock()
        while True:
            with self._engine.connect() as connection:
                waiting, used = self._waiting(connection, keys, now)
            chosen = next_job(waiting, used, loaded, now)
            if chosen is None:
                return None
            changes = {"held": chosen.id, "runner": runner, "lease": now + LEASE_SECONDS, "started": now}
            # A claim that is lost with the machine's power was of a runner that is lost with it.
            with self._relaxed.begin() as connection:
                claimed = connection.execute(statements.CLAIM, changes).rowcount == 1
            if claimed:
                return self.get(chosen.id)

    def renew(self, job: Job, phase: str | None, phases: Mapping[str, float]) -> Job:
        """Renews a runner's lease, and says how far it is; the job as it is now. Raises LeaseLost."""
        changes = {
            "lease": self._clock() + LEASE_SECONDS,
            "phase": phase,
            "phases": json.dumps(dict(phases)),
        }
        self._change_held(job, changes, self._relaxed)
        return self.get(job.id)

    def reserve(self, job: Job, reservation: Reservation) -> None:
        """Keeps the number of a hiding proof, before anything is made of it. Raises LeaseLost."""
        changes = {
            "reserved_epoch": reservation.epoch,
            "reserved_number": reservation.number,
            "reserved_nonce": reservation.nonce,
        }
        self._change_held(job, changes)

    def finish(
        self,
        job: Job,
        proof: str | bytes,
        result: Mapping[str, Any],
        phases: Mapping[str, float] | None = None,
        *,
        durable: bool = True,
    ) -> None:
        """Ends a job with its proof: the proof's bytes, or where the artifacts have it. Raises LeaseLost.

        What is not `durable` may be lost with the machine's power. Then the job is as it was accepted, and
        runs again. So its inputs have to be in its row, and its proof must be the same when made again.
        """
        content = proof if isinstance(proof, bytes) else None
        changes = {
            **self._ending(JobState.DONE),
            "proof": None if isinstance(proof, bytes) else proof,
            "result": json.dumps(dict(result)),
            "phases": json.dumps(dict(phases or {})),
        }
        self._change_held(job, changes, self._engine if durable else self._relaxed, content)

    def proof(self, job: Job) -> bytes | None:
        """The proof of a job that is done; None where the artifacts have it, or the job was removed."""
        with self._engine.connect() as connection:
            return connection.execute(statements.PROOF, {"id": job.id}).scalar()

    def fail(self, job: Job, code: FailureCode, problem: str) -> Job:
        """Ends a job that a runner has, without a proof. Raises LeaseLost."""
        changes = {**self._ending(JobState.FAILED), "code": code.value, "problem": problem}
        self._change_held(job, changes)
        return self.get(job.id)

    def abandon(self, job: Job) -> Job:
        """Ends a running job that its client has cancelled. Raises LeaseLost."""
        self._change_held(job, self._ending(JobState.CANCELLED))
        return self.get(job.id)

    def give_back(self, job: Job, *, counted: bool = True) -> None:
        """Returns a job to the queue, not `counted` as if it had not been begun. Raises LeaseLost."""
        statement = statements.HELD if counted else statements.HELD.values(attempts=JOBS.c.attempts - 1)
        self._change_held(job, _WAITING, statement=statement)

    def cancel(self, job_id: str, client: str) -> Job:
        """Cancels a job that waits, and asks for the end of one that is running. Raises KeyError."""
        self.get(job_id, client)
        queued = self._ending(JobState.CANCELLED)
        if not self._change(job_id, queued, statements.WAITS):
            self._change(job_id, {"stopping": True}, statements.RUNS)
        return self.get(job_id)

    def recover(self, *, alone: bool = False) -> tuple[list[Job], list[Job]]:
        """Returns the jobs of dead runners to the queue: those returned, and those that failed.

        With `alone` no other runner uses this database: whatever is running has lost its runner.
        """
        condition = statements.RUNS if alone else statements.RUNS & (JOBS.c.lease < self._clock())
        with self._engine.connect() as connection:
            lost = [_job(row) for row in connection.execute(select(*statements.COLUMNS).where(condition))]
        returned, failed = [], []
        for job in lost:
            # As a runner would: whoever has it by now keeps it.
            try:
                if job.stopping:
                    failed.append(self.abandon(job))
                elif job.attempts >= MAX_ATTEMPTS:
                    ends = f"{job.attempts} runners ended while they had this job"
                    failed.append(self.fail(job, FailureCode.ATTEMPTS, ends))
                else:
                    self.give_back(job)
                    returned.append(job)
            except LeaseLost:
                continue
        return returned, failed

    def expire(self) -> list[Job]:
        """Fails the jobs that still wait at their deadline; those that it failed."""
        with self._engine.connect() as connection:
            query = select(*statements.COLUMNS).where(statements.WAITS, JOBS.c.deadline < self._clock())
            late = [_job(row) for row in connection.execute(query)]
        changes = {
            **self._ending(JobState.FAILED),
            "code": FailureCode.DEADLINE.value,
            "problem": "its deadline came before its turn",
        }
        return [self.get(job.id) for job in late if self._change(job.id, changes, statements.WAITS)]

    def list_old(self, seconds: float, limit: int = 100) -> list[Job]:
        """Jobs that ended longer ago than that."""
        query = select(*statements.COLUMNS).where(JOBS.c.finished < self._clock() - seconds).limit(limit)
        with self._engine.connect() as connection:
            return [_job(row) for row in connection.execute(query)]

    def remove(self, job: Job) -> None:
        """Forgets a job that has ended."""
        with self._engine.begin() as connection:
            connection.execute(delete(JOBS).where(JOBS.c.id == job.id, JOBS.c.finished.is_not(None)))
            connection.execute(delete(PROOFS).where(PROOFS.c.job == job.id))

    def report_runner(self, runner: str, started: float, status: Mapping[str, Any]) -> None:
        """Says that a runner lives, and what it does."""
        now, text = self._clock(), json.dumps(dict(status))
        row = {"started": started, "seen": now, "status": text}
        with self._relaxed.begin() as connection:
            changed = connection.execute(update(RUNNERS).where(RUNNERS.c.id == runner).values(row))
            if changed.rowcount == 0:
                connection.execute(insert(RUNNERS).values(id=runner, **row))
                connection.execute(delete(RUNNERS).where(RUNNERS.c.seen < now - _FORGET_RUNNERS))

    def remove_runner(self, runner: str) -> None:
        """A runner has ended."""
        with self._engine.begin() as connection:
            connection.execute(delete(RUNNERS).where(RUNNERS.c.id == runner))

    def runners(self) -> list[RunnerRecord]:
        """The runners that were seen within a lease."""
        query = select(RUNNERS).where(RUNNERS.c.seen >= self._clock() - LEASE_SECONDS).order_by(RUNNERS.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [RunnerRecord(row.id, row.started, row.seen, json.loads(row.status)) for row in rows]

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
        return None if row is None else _job(row)

    def _waiting(
        self, connection: Connection, keys: Collection[str], now: float
    ) -> tuple[list[Waiting], dict[str, float]]:
        """Jobs among which the next one is, and seconds that each client's proofs took lately.

        These are the first jobs of the clients whose turn it may be, at the highest priority. They are a few
        rows of a long queue.
        """
        provable = {"keys": list(keys)}
        pairs = connection.execute(statements.TURNS, provable).all()
        if not pairs:
            return [], {}
        highest = max(priority for priority, _ in pairs)
        clients = [client for priority, client in pairs if priority == highest]
        used = self._used(connection, now) if len(clients) > 1 else {}
        least = min(used.get(client, 0.0) for client in clients)
        turn = [client for client in clients if used.get(client, 0.0) == least][:_CLIENTS_COMPARED]
        waiting = []
        for client in turn:
            asked = {**provable, "highest": highest, "turn": client, "most": _JOBS_COMPARED}
            waiting += [Waiting(*row) for row in connection.execute(statements.FIRST_JOBS, asked)]
        return waiting, used

    def _used(self, connection: Connection, now: float) -> dict[str, float]:
        """Seconds that each client's proofs took lately, those in progress included."""
        ended = func.coalesce(JOBS.c.finished, now)
        query = (
            select(JOBS.c.client, func.sum(ended - JOBS.c.started))
            .where(JOBS.c.started.is_not(None), ended > now - RECENT_SECONDS)
            .group_by(JOBS.c.client)
        )
        return dict(map(tuple, connection.execute(query)))

    def _change_held(
        self,
        job: Job,
        changes: Mapping[str, Any],
        engine: Engine | None = None,
        proof: bytes | None = None,
        statement: Update = statements.HELD,
    ) -> None:
        """Changes a job while the runner has it, with its proof, if that is given. Raises LeaseLost."""
        held = {"held": job.id, "holder": job.runner, "attempt": job.attempts}
        with (engine or self._engine).begin() as connection:
            if connection.execute(statement, {**held, **changes}).rowcount != 1:
                raise LeaseLost(f"job {job.id} is no longer this runner's")
            if proof is not None:
                connection.execute(statements.KEEP_PROOF, {"job": job.id, "content": proof})

    def _change(self, job_id: str, changes: Mapping[str, Any], condition: Any) -> bool:
        """Changes a job of which a condition holds; whether it did."""
        statement = update(JOBS).where(JOBS.c.id == job_id, condition).values(**changes)
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def _ending(self, state: JobState) -> dict[str, Any]:
        now = self._clock()
        return {"state": state.value, "finished": now, "lease": None, "phase": None, "inputs": None}


_WAITING: Mapping[str, Any] = {
    "state": JobState.QUEUED.value,
    "runner": None,
    "lease": None,
    "started": None,
    "phase": None,
}


def _job(row: Any) -> Job:
    number = row.reserved_number
    return Job(
        **{name: getattr(row, name) for name in ("id", "sequence", "client", "key", "priority", "context")},
        **{name: getattr(row, name) for name in ("clamp", "carry", "created", "deadline", "started")},
        **{name: getattr(row, name) for name in ("finished", "attempts", "runner", "stopping", "phase")},
        **{name: getattr(row, name) for name in ("problem", "proof")},
        state=JobState(row.state),
        phases=json.loads(row.phases or "{}"),
        reservation=None if number is None else Reservation(row.reserved_epoch, number, row.reserved_nonce),
        code=None if row.code is None else FailureCode(row.code),
        result=None if row.result is None else json.loads(row.result),
    )
