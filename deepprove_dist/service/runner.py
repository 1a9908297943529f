"""A runner: takes job after job from the store, proves, and keeps the proof. One proof at a time.

A second thread renews the lease of the job in progress, and says how far it is. It stops a proof that is not
wanted any more. It also looks after the jobs of all, as any runner may.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from deepprove_dist.errors import (
    BudgetError,
    DeepProveError,
    ExecutionError,
    first_line,
)
from deepprove_dist.job_logging import logging_job
from deepprove_dist.proving import ProofResult, prove
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.service.artifacts import INPUTS, PROOF, Artifacts, opening_name
from deepprove_dist.service.caretaker import Caretaker
from deepprove_dist.service.events import JobEvent, JobEventKind, Observer, log_event
from deepprove_dist.service.hand_over import HandOver
from deepprove_dist.service.job import Job
from deepprove_dist.service.job_budget import JobBudget
from deepprove_dist.service.job_endings import JobEndings
from deepprove_dist.service.job_trace import JobStopped, JobTrace, StopReason
from deepprove_dist.service.leases import LEASE_SECONDS, LeaseLost
from deepprove_dist.service.loaded_keys import LoadedKeys, worker_report
from deepprove_dist.service.result import result_fields
from deepprove_dist.service.sample_body import decode_inputs
from deepprove_dist.service.served_key import ServedKey
from deepprove_dist.service.store import INLINE_BYTES, JobStore
from deepprove_dist.timing import recording, timed

logger = logging.getLogger(__name__)

Finished = Callable[[Job, bytes | None], object]

RENEW_SECONDS = 1.0
_SHORTEST_POLL, _LONGEST_POLL = 0.02, 0.25


@dataclass(frozen=True)
class RunnerOptions:
    """Attributes:
    job_seconds: the most that a proof may take, with the loading of its key.
    keep_seconds: after that time a job that has ended is removed, with its proof.
    auto_rekey: makes the next epoch where no proof of hiding keys is left.
    """

    job_seconds: float = 3600.0
    keep_seconds: float = 7 * 24 * 3600.0
    auto_rekey: bool = False


class Runner:
    """`start` it, and `drain` it before the process ends."""

    def __init__(
        self,
        store: JobStore,
        artifacts: Artifacts,
        served: Mapping[str, ServedKey],
        loaded: LoadedKeys,
        options: RunnerOptions | None = None,
        observe: Observer = log_event,
        leaving: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], float] = time.time,
        hand_over: HandOver | None = None,
        finished: Finished = lambda job, proof: None,
    ) -> None:
        """Nothing runs yet.

        Args:
            leaving: says the addresses of nodes that will go away: no further proof is begun there.
            hand_over: where submissions of this process give it jobs.
            finished: called with each job that is done, and with its proof where the database has it.
        """
        self._hand_over, self._finished = hand_over or HandOver(), finished
        self.id = self._hand_over.runner
        self._store, self._artifacts, self._served, self._loaded = store, artifacts, served, loaded
        self._options, self._observe, self._clock = options or RunnerOptions(), observe, clock
        self._leaving = leaving
        self._started = clock()
        self._draining, self._ended = threading.Event(), threading.Event()
        self._told = False
        self._current: tuple[Job, JobTrace] | None = None
        self._workers: list[dict[str, object]] = []
        self._endings = JobEndings(store, artifacts)
        self._caretaker = Caretaker(store, artifacts, self._options.keep_seconds, self._tell, clock)
        self._threads = [
            threading.Thread(target=self._run, name="runner", daemon=True),
            threading.Thread(target=self._watch, name="runner's lease", daemon=True),
        ]

    def start(self) -> None:
        """Begins to take jobs."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is a new job: it need not be looked for."""
        self._told = True
        self._hand_over.wake()

    @property
    def alive(self) -> bool:
        """Both threads run, or it has ended in order."""
        return self.draining or all(thread.is_alive() for thread in self._threads)

    @property
    def draining(self) -> bool:
        """It takes no further job."""
        return self._draining.is_set()

    def begin_drain(self) -> None:
        """Takes no further job; the proof in progress goes on."""
        self._draining.set()
        self._hand_over.close()

    def drain(self, seconds: float) -> bool:
        """Takes no further job, and ends; whether the proof in progress was finished.

        A proof that takes longer than `seconds` goes back to the queue.
        """
        self.begin_drain()
        finished = self._ended.wait(seconds)
        if not finished and (current := self._current) is not None:
            current[1].stop = StopReason.DRAINING
            self._ended.wait(LEASE_SECONDS)
        for thread in self._threads:
            thread.join(LEASE_SECONDS)
        with suppress(SQLAlchemyError):
            self._store.runners.remove(self.id)
        return finished

    def _run(self) -> None:
        pause = _SHORTEST_POLL
        try:
            while not self.draining:
                self._loaded.leave(self._leaving())
                job, inputs = self._claim(), None
                if job is None and (given := self._hand_over.wait(pause)) is not None:
                    self._told, job, inputs = True, given.job, given.inputs
                if job is None:
                    pause = min(1.5 * pause, _LONGEST_POLL)
                    continue
                self._take(job, inputs)
                # Who is told of new jobs looks seldom: it would be in the way of those who submit them.
                pause = _LONGEST_POLL if self._told else _SHORTEST_POLL
        finally:
            self._loaded.close()
            self._ended.set()

    def _claim(self) -> Job | None:
        try:
            return self._store.leases.claim(self.id, self._loaded.names, tuple(self._served))
        except SQLAlchemyError as error:
            logger.warning("the job store fails: %s", first_line(error))
            return None

    def _take(self, job: Job, inputs: bytes | None = None) -> None:
        """Proves a job, and says what became of it. Whatever fails, the runner goes on.

        `inputs` are those of its row, if they are known.
        """
        begin, trace = self._clock(), JobTrace()
        self._current = job, trace
        self._tell(JobEventKind.STARTED, job, waited=begin - job.created)
        kind, reason, remaining = JobEventKind.DONE, "", None
        try:
            with logging_job(job.id):
                remaining = self._prove(job, trace, inputs or self._store.inputs(job))
        except JobStopped as stop:
            kind, reason = self._endings.stopped(job, stop.reason)
        except LeaseLost as error:
            kind, reason = JobEventKind.RETURNED, str(error)
        except (DeepProveError, OSError, SQLAlchemyError, MemoryError) as error:
            kind, reason = self._end_failed(job, error)
        except Exception as error:  # A runner outlives every job.
            logger.exception("job %s failed for an unforeseen reason", job.id)
            kind, reason = self._end_failed(job, error)
        finally:
            self._current = None
        seconds = self._clock() - begin
        self._tell(kind, job, reason=reason, seconds=seconds, phases=trace.seconds, remaining=remaining)

    def _prove(self, job: Job, trace: JobTrace, in_row: bytes | None) -> int | None:
        """Makes the proof of a job and keeps it; how many more its key can make."""
        served = self._served[job.key]
        inputs = in_row or self._artifacts.read_file(job.id, 0, INPUTS)
        with recording(trace):
            with timed("loading", "whole"):
                if self._options.auto_rekey and job.reservation is None and served.remaining == 0:
                    self._rekey(served)
                loaded = self._loaded.get(served)
            self._workers = worker_report(loaded)
            keys = loaded.keys
            budget = None
            if keys.budget is not None:
                budget = JobBudget(self._store, job, keys.budget, keys.budget.epoch)
            try:
                proof = prove(
                    keys.prover,
                    decode_inputs(inputs),
                    context=job.context,
                    clamp=job.clamp,
                    carry=job.carry,
                    budget=budget,
                    memory=keys.memory,
                )
                fields = result_fields(proof, loaded)
            finally:
                # Workers outlive jobs, and what was lost in one is no matter of the next.
                loaded.forget_losses()
        # What a loss of power takes is made again, with the same bytes: nobody waits for the disk here.
        durable = in_row is None or budget is not None
        self._keep(job, proof, fields, trace, durable=durable)
        if in_row is None:
            self._endings.forget_inputs(job)
        return proof.remaining

    def _keep(
        self, job: Job, proof: ProofResult, fields: Mapping[str, object], trace: JobTrace, *, durable: bool
    ) -> None:
        where: str | bytes = proof.content
        if proof.openings or len(proof) > INLINE_BYTES:
            where = self._artifacts.write(job.id, job.attempts, PROOF, proof.content)
        for name, opening in proof.openings.items():
            self._artifacts.write(job.id, job.attempts, opening_name(name), bytes(opening))
        leases, seconds = self._store.leases, trace.seconds

        def finish() -> None:
            done = leases.finish(job, where, fields, seconds, durable=durable)
            self._finished(done, where if isinstance(where, bytes) else None)

        self._endings.patiently(finish)

    def _rekey(self, served: ServedKey) -> None:
        # Another process may have been quicker: then the folder has the next epoch already.
        with suppress(BudgetError):
            ProvingKey.rekey_folder(served.folder)

    def _end_failed(self, job: Job, error: Exception) -> tuple[JobEventKind, str]:
        if isinstance(error, ExecutionError):
            # Its workers cannot be relied on any more.
            self._loaded.drop(job.key)
        # Keys that were rekeyed meanwhile are loaded again.
        rekeyed = isinstance(error, BudgetError) and not self._loaded.is_current(self._served[job.key])
        return self._endings.failed(job, error, rekeyed=rekeyed)

    def _watch(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self._renew()
                self._caretaker.look_after()
            except (SQLAlchemyError, OSError) as error:
                logger.warning("the job store fails: %s", first_line(error))

    def _renew(self) -> None:
        current = self._current
        if current is not None:
            job, trace = current
            now = self._clock()
            try:
                present = self._store.leases.renew(job, trace.running, trace.seconds)
            except LeaseLost:
                # It may have ended meanwhile.
                if self._current is current:
                    trace.stop = StopReason.LEASE_LOST
            else:
                if present.stopping:
                    trace.stop = StopReason.CANCELLED
                elif job.deadline is not None and now > job.deadline:
                    trace.stop = StopReason.DEADLINE
                elif now - (job.started or now) > self._options.job_seconds:
                    trace.stop = StopReason.TIMEOUT
        self._store.runners.report(self.id, self._started, self._status())

    def _status(self) -> dict[str, Any]:
        current = self._current
        return {
            "draining": self.draining,
            "job": None if current is None else current[0].id,
            "key": None if current is None else current[0].key,
            "phase": None if current is None else current[1].running,
            "loaded": list(self._loaded.names),
            "workers": self._workers,
        }

    def _tell(self, kind: JobEventKind, job: Job, **more: Any) -> None:
        self._observe(JobEvent(kind, job.id, job.client, job.key, **more))
