"""What the HTTP interface asks for: submissions, which are checked here, and what becomes of them.

A submission that cannot succeed is refused before it costs anything. Its samples may not fit, or no proof may
be left. A proof may take more memory or time than there is, or too many jobs may wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from sqlalchemy.exc import SQLAlchemyError

from deepprove_dist.certificates import Certificate
from deepprove_dist.epochs import current_epoch, read_chain
from deepprove_dist.errors import DeepProveError, FormatError, InputError, VerificationError
from deepprove_dist.keys import INTEGER_MODEL, VERIFYING_KEY
from deepprove_dist.service.artifacts import INPUTS, Artifacts, beside, opening_name
from deepprove_dist.service.clients import ServiceClient
from deepprove_dist.service.events import JobEvent, JobEventKind, Observer, log_event
from deepprove_dist.service.hand_over import HandOver
from deepprove_dist.service.job import Job, JobState, Submission
from deepprove_dist.service.problem import ServiceProblem
from deepprove_dist.service.sample_body import encode_inputs, read_body
from deepprove_dist.service.served_key import ServedKey
from deepprove_dist.service.store import INLINE_BYTES, JobStore, Kept, SubmissionConflict
from deepprove_dist.service.submission_checks import (
    SubmissionLimits,
    SubmissionOptions,
    require_options,
    require_resources,
)
from deepprove_dist.service.waiting import Waiters
from deepprove_dist.verifying_key import VerifyingKey

_RETRY_SECONDS = 5
_STORE_SECONDS = 5.0
_SLOWEST_STORE = 10 << 20
"""A client waits so long for a store of artifacts that fails or hangs, and a second for so many bytes."""

_READ_SECONDS = 20.0
"""For a proof or an opening, of any length."""


class JobService:
    """Submissions and jobs of all clients. Threads may share it. Methods raise ServiceProblem."""

    def __init__(
        self,
        served: Mapping[str, ServedKey],
        store: JobStore,
        artifacts: Artifacts,
        limits: SubmissionLimits | None = None,
        observe: Observer = log_event,
        notify: Callable[[], None] = lambda: None,
        waiters: Waiters | None = None,
        hand_over: HandOver | None = None,
    ) -> None:
        """Serves at once.

        Args:
            notify: called after each new job that waits: a runner need not look for it.
            waiters: woken by the runner's events, where it is in this process.
            hand_over: to that runner.
        """
        self.served, self.limits = served, limits or SubmissionLimits()
        self._store, self._artifacts = store, artifacts
        self._observe, self._notify, self._hand_over = observe, notify, hand_over
        self.waiters = waiters or Waiters()
        self.draining = False

    def submit(
        self, client: ServiceClient, key: str, body: bytes, media: str, options: SubmissionOptions
    ) -> tuple[Job, bool]:
        """The job of a submission, and whether it is new."""
        try:
            return self._submit(client, key, body, media, options)
        except ServiceProblem as problem:
            reason = f"{problem.code}: {problem.detail}"
            self._observe(JobEvent(JobEventKind.REFUSED, "", client.name, key, reason=reason))
            raise

    def job(self, client: ServiceClient, job_id: str) -> Job:
        """A client's job."""
        try:
            return self._store.get(job_id, client.name)
        except KeyError:
            raise ServiceProblem(404, "no_such_job", f"there is no job {job_id}") from None

    def jobs(
        self, client: ServiceClient, state: JobState | None, before: int | None, limit: int
    ) -> list[Job]:
        """A client's jobs, the latest first."""
        return self._store.list_jobs(client.name, state, before, limit)

    def cancel(self, client: ServiceClient, job_id: str) -> Job:
        """Cancels a client's job: at once while it waits, or else where the proof can be stopped."""
        self.job(client, job_id)
        return self._store.cancel(job_id, client.name)

    def proof(self, client: ServiceClient, job_id: str) -> bytes:
        """The bytes of a proof's file."""
        return self.proof_of(self._done(client, job_id))

    def proof_of(self, job: Job) -> bytes:
        """The proof of a job that is done."""
        if job.proof is not None:
            return self._artifact(job, job.proof)
        content = self._store.proof(job)
        return _gone(job) if content is None else content

    def opening(self, client: ServiceClient, job_id: str, tensor: str) -> bytes:
        """The file that opens the commitment to a hidden input or output."""
        job = self._done(client, job_id)
        if tensor not in (job.result or {}).get("commitments", {}):
            raise ServiceProblem(404, "no_such_opening", f"the proof has no commitment to {tensor!r}")
        assert job.proof is not None, "proofs with openings are files, as these are"
        return self._artifact(job, beside(job.proof, opening_name(tensor)))

    def verify(self, client: ServiceClient, job_id: str) -> dict[str, Any]:
        """Verifies a proof that was made, as anybody may with the verifying key."""
        job = self._done(client, job_id)
        served = self._key(job.key)
        public = served.content.weights is None
        key = VerifyingKey.load(
            served.folder / VERIFYING_KEY, model=served.folder / INTEGER_MODEL if public else None
        )
        for certificate in self._certificates(served):
            key.accept(certificate)
        try:
            key.verify(self.proof_of(job), context=job.context)
        except (VerificationError, FormatError) as error:
            return {"valid": False, "problem": str(error), "key": served.content.digest.hex()}
        return {"valid": True, "problem": None, "key": served.content.digest.hex()}

    def verifying_key(self, key: str) -> bytes:
        """The file of a verifying key."""
        return (self._key(key).folder / VERIFYING_KEY).read_bytes()

    def list_keys(self) -> list[dict[str, Any]]:
        """What is served, and how many proofs are left."""
        return [{**served.fields(), **_budget(served)} for served in self.served.values()]

    def status(self, client: ServiceClient) -> dict[str, Any]:
        """The queue, and what runners do; the jobs of others are counted only."""
        runners = []
        for record in self._store.runners.alive():
            status = dict(record.status)
            job = status.pop("job", None)
            status["job"] = job if job is not None and self._is_of(client, job) else None
            runners.append({"id": record.id, "started": record.started, "seen": record.seen, **status})
        return {
            "draining": self.draining,
            "jobs": self._store.counts(),
            "mine": self._store.counts(client.name),
            "runners": runners,
        }

    def counts(self) -> dict[str, int]:
        """How many jobs of all clients are in each state."""
        return self._store.counts()

    def require_ready(self) -> None:
        """Requires a database that answers, and a runner that takes jobs."""
        if self.draining:
            raise ServiceProblem(503, "draining", "the service ends, and takes no further jobs")
        try:
            runners = self._store.runners.alive()
        except SQLAlchemyError as error:
            raise ServiceProblem(503, "store", "the job store does not answer") from error
        if all(runner.status.get("draining") for runner in runners):
            raise ServiceProblem(503, "no_runner", "no runner takes jobs")

    def _submit(
        self, client: ServiceClient, key: str, body: bytes, media: str, options: SubmissionOptions
    ) -> tuple[Job, bool]:
        served = self._key(key)
        if self.draining:
            raise ServiceProblem(503, "draining", "the service ends; submit again", _RETRY_SECONDS)
        require_options(client, options)
        try:
            inputs = read_body(body, media, served.shapes, options.index, self.limits.body_bytes)
            served.require_fits(inputs, clamp=options.clamp)
        except InputError as error:
            raise ServiceProblem(422, "input", str(error)) from error
        require_resources(served, options, self.limits)
        submission = Submission(
            client.name,
            key,
            encode_inputs(inputs),
            **{name: getattr(options, name) for name in ("context", "clamp", "carry", "priority")},
            seconds=options.seconds,
            idempotency_key=options.idempotency_key,
        )
        kept, reserved = list[str](), list[HandOver]()

        def keep(job: str) -> Kept:
            waiting = self._require_room(client, submission)
            if len(submission.inputs) <= INLINE_BYTES:
                # With a queue it is others' turn.
                if not waiting and self._hand_over is not None and self._hand_over.reserve():
                    reserved.append(self._hand_over)
                return Kept(submission.inputs, reserved[0].runner if reserved else None)
            seconds = _STORE_SECONDS + len(submission.inputs) / _SLOWEST_STORE
            self._artifacts.write(job, 0, INPUTS, submission.inputs, seconds)
            kept.append(job)
            return Kept()

        def begin(job: Job) -> None:
            # From now on the job has the inputs, and its runner need not look for it.
            kept.clear()
            if reserved:
                reserved.pop().give(job, submission.inputs)
            else:
                self._notify()
            self._observe(JobEvent(JobEventKind.ACCEPTED, job.id, client.name, key))

        try:
            return self._store.submit(submission, keep, begin)
        except SubmissionConflict as error:
            raise ServiceProblem(409, "idempotency_key", str(error)) from error
        except OSError as error:
            detail = f"the submission cannot be kept: {error.strerror or error}"
            raise ServiceProblem(503, "artifacts", detail, _RETRY_SECONDS) from error
        finally:
            # What a job has that was not accepted after all.
            for hand_over in reserved:
                hand_over.withdraw()
            for job_id in kept:
                with suppress(OSError):
                    self._artifacts.remove_file(job_id, 0, INPUTS, _STORE_SECONDS)

    def _require_room(self, client: ServiceClient, submission: Submission) -> int:
        """The last checks, which a submission that was accepted before need not pass again.

        Returns how many jobs wait.
        """
        served = self._key(submission.key)
        total, mine, uncounted = self._store.queued(client.name, served.name)
        budget = _budget(served)
        if budget["problem"] is not None:
            raise ServiceProblem(409, "budget", budget["problem"])
        remaining = budget["remaining"]
        if remaining is not None and not self.limits.rekeys and uncounted >= remaining:
            left = f"{remaining:,} proofs left, for jobs that wait" if remaining else "no proof left"
            detail = f"key {served.name!r} has {left}: rekey it, or serve with --auto-rekey"
            raise ServiceProblem(409, "budget", detail)
        for whose, count, most in (
            ("", total, self.limits.queued),
            (" of yours", mine, self.limits.queued_of_client),
        ):
            if count >= most:
                raise ServiceProblem(429, "queue", f"{most:,} jobs{whose} wait already", _RETRY_SECONDS)
        return total

    def _key(self, name: str) -> ServedKey:
        if name not in self.served:
            raise ServiceProblem(
                404, "no_such_key", f"there is no key {name!r}; there are {sorted(self.served)}"
            )
        return self.served[name]

    def _done(self, client: ServiceClient, job_id: str) -> Job:
        job = self.job(client, job_id)
        if job.state is not JobState.DONE:
            why = f": {job.problem}" if job.problem else ""
            raise ServiceProblem(409, "not_done", f"the job is {job.state.value}{why}")
        return job

    def _artifact(self, job: Job, where: str) -> bytes:
        """A file of a job."""
        try:
            return self._artifacts.read(where, _READ_SECONDS)
        except FileNotFoundError:
            _gone(job)
        except OSError as error:
            detail = f"the artifact store does not answer: {error}"
            raise ServiceProblem(503, "artifacts", detail, _RETRY_SECONDS) from error

    def _is_of(self, client: ServiceClient, job_id: str) -> bool:
        try:
            self._store.get(job_id, client.name)
        except KeyError:
            return False
        return True

    def _certificates(self, served: ServedKey) -> list[Certificate]:
        if served.content.anchor is None:
            return []
        return list(map(Certificate, read_chain(served.folder, current_epoch(served.folder))))


def _budget(served: ServedKey) -> dict[str, Any]:
    try:
        return {"remaining": served.remaining, "problem": None}
    except (DeepProveError, OSError) as error:
        return {"remaining": None, "problem": str(error)}


def _gone(job: Job) -> NoReturn:
    raise ServiceProblem(410, "gone", f"the proof of job {job.id} is no longer kept")
