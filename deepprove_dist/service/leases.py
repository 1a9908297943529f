"""Jobs that runners have, each by a lease that its runner renews.

What a runner writes counts only while it has the job: each of its statements names the runner and the
attempt. So a runner that was thought dead changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, Update, select

from deepprove_dist.errors import DeepProveError
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.service import statements
from deepprove_dist.service.engines import Engines
from deepprove_dist.service.job import FailureCode, Job, JobState
from deepprove_dist.service.job_rows import QUEUED_AGAIN, ending, job_of_row
from deepprove_dist.service.schedule import next_job
from deepprove_dist.service.tables import JOBS
from deepprove_dist.service.turns import first_waiting

LEASE_SECONDS = 10.0
"""A runner that has not renewed its lease for so long has lost its job."""

MAX_ATTEMPTS = 3
"""A job that has ended so many runners is not begun again."""


class LeaseLost(DeepProveError):
    """Another runner has the job, or it has ended: what this one computes is not wanted any more."""


class Leases:
    """What runners do with the jobs of a store. Times are seconds since 1970, by `clock`."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engine, self._relaxed, self._clock = engines.durable, engines.relaxed, clock

    def claim(self, runner: str, loaded: Collection[str] = (), keys: Collection[str] = ()) -> Job | None:
        """The next job, which the runner has from now on; None where none waits.

        `loaded` are the keys that it has in memory, `keys` those that it can prove with.
        """
        now = self._clock()
        while True:
            with self._engine.connect() as connection:
                waiting, used = first_waiting(connection, keys, now)
            chosen = next_job(waiting, used, loaded, now)
            if chosen is None:
                return None
            changes = {"held": chosen.id, "runner": runner, "lease": now + LEASE_SECONDS, "started": now}
            # A claim that is lost with the machine's power was of a runner that is lost with it.
            with self._relaxed.begin() as connection:
                claimed = connection.execute(statements.CLAIM, changes).rowcount == 1
            if claimed:
                return self._get(chosen.id)

    def renew(self, job: Job, phase: str | None, phases: Mapping[str, float]) -> Job:
        """Renews a runner's lease, and says how far it is; the job as it is now. Raises LeaseLost."""
        changes = {
            "lease": self._clock() + LEASE_SECONDS,
            "phase": phase,
            "phases": json.dumps(dict(phases)),
        }
        self._change(job, changes, self._relaxed)
        return self._get(job.id)

    def reserve(self, job: Job, reservation: Reservation) -> None:
        """Keeps the number of a hiding proof, before anything is made of it. Raises LeaseLost."""
        changes = {
            "reserved_epoch": reservation.epoch,
            "reserved_number": reservation.number,
            "reserved_nonce": reservation.nonce,
        }
        self._change(job, changes)

    def finish(
        self,
        job: Job,
        proof: str | bytes,
        result: Mapping[str, Any],
        phases: Mapping[str, float] | None = None,
        *,
        durable: bool = True,
    ) -> Job:
        """Ends a job with its proof: the proof's bytes, or where the artifacts have it. Raises LeaseLost.

        What is not `durable` may be lost with the machine's power. Then the job is as it was accepted, and
        runs again. So its inputs have to be in its row, and its proof must be the same when made again.
        """
        content, where = (proof, None) if isinstance(proof, bytes) else (None, proof)
        now, result, phases = self._clock(), dict(result), dict(phases or {})
        changes = {
            **ending(JobState.DONE, now),
            "proof": where,
            "result": json.dumps(result),
            "phases": json.dumps(phases),
        }
        self._change(job, changes, self._engine if durable else self._relaxed, content)
        ended = replace(job, state=JobState.DONE, finished=now, phase=None)
        return replace(ended, proof=where, result=result, phases=phases)

    def fail(self, job: Job, code: FailureCode, problem: str) -> Job:
        """Ends a job that a runner has, without a proof. Raises LeaseLost."""
        changes = {**ending(JobState.FAILED, self._clock()), "code": code.value, "problem": problem}
        self._change(job, changes)
        return self._get(job.id)

    def abandon(self, job: Job) -> Job:
        """Ends a running job that its client has cancelled. Raises LeaseLost."""
        self._change(job, ending(JobState.CANCELLED, self._clock()))
        return self._get(job.id)

    def give_back(self, job: Job, *, counted: bool = True) -> None:
        """Returns a job to the queue, not `counted` as if it had not been begun. Raises LeaseLost."""
        statement = statements.HELD if counted else statements.HELD.values(attempts=JOBS.c.attempts - 1)
        self._change(job, QUEUED_AGAIN, statement=statement)

    def recover(self, *, alone: bool = False) -> tuple[list[Job], list[Job]]:
        """Returns the jobs of dead runners to the queue: those returned, and those that failed.

        With `alone` no other runner uses this database: whatever is running has lost its runner.
        """
        condition = statements.RUNS if alone else statements.RUNS & (JOBS.c.lease < self._clock())
        with self._engine.connect() as connection:
            rows = connection.execute(select(*statements.COLUMNS).where(condition)).all()
        lost = list(map(job_of_row, rows))
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

    def _change(
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

    def _get(self, job_id: str) -> Job:
        with self._engine.connect() as connection:
            return job_of_row(connection.execute(statements.BY_ID, {"id": job_id}).one())
