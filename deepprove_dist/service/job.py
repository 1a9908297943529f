"""A job: one proof that a client asked for, and what has become of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from deepprove_dist.randomness.reservation import Reservation

MIN_PRIORITY, MAX_PRIORITY = 0, 9


class JobState(str, Enum):
    """Where a job is: it waits, it is being proven, or it has ended in one of three ways."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Nothing more happens to the job."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class FailureCode(str, Enum):
    """Why a job failed; stable, for programs."""

    INPUT = "input"
    BUDGET = "budget"
    MEMORY = "memory"
    DEADLINE = "deadline"
    TIMEOUT = "timeout"
    ATTEMPTS = "attempts"
    INTERNAL = "internal"


@dataclass(frozen=True)
class Submission:
    """What a client asks for.

    Attributes:
        client: the name that its token stands for.
        key: the name of a served key.
        inputs: the samples as they are kept (`sample_body.encode_inputs`).
        context: what else the proof is bound to.
        clamp: moves values outside the calibrated range to its end.
        carry: puts certificates of a later epoch into the proof.
        priority: from 0 to 9; the higher, the earlier.
        seconds: the job fails if it has not ended so many seconds after it was submitted.
        idempotency_key: the client's name for this submission; the same one gives the same job.
    """

    client: str
    key: str
    inputs: bytes = field(repr=False)
    context: bytes = b""
    clamp: bool = False
    carry: bool = True
    priority: int = MIN_PRIORITY
    seconds: float | None = None
    idempotency_key: str | None = None

    @property
    def digest(self) -> str:
        """Of all that is asked for: two submissions of one idempotency key must have the same."""
        asked = (self.key, self.context, self.clamp, self.carry, self.priority, self.seconds)
        return hashlib.sha256(repr(asked).encode() + self.inputs).hexdigest()


@dataclass(frozen=True)
class Job:
    """A submission that was accepted. Times are seconds since 1970.

    Attributes:
        id: 32 hexadecimal digits that nobody guesses.
        sequence: its number in the order of submissions.
        deadline: when it fails unless it has ended; None without one.
        attempts: how often a runner has begun it.
        runner: the runner that has it, while it is running.
        stopping: its client has asked to cancel it.
        phase: of the proof in progress.
        phases: seconds of the phases that have ended, in their order.
        reservation: the number of a hiding proof, once it has one.
        code, problem: why it failed, for programs and for people.
        result: of a proof: what `prove --json` says of it.
        proof: where the artifacts have the proof; None where the database has it, as it has short ones.
    """

    id: str
    sequence: int
    client: str
    key: str
    state: JobState
    priority: int
    context: bytes
    clamp: bool
    carry: bool
    created: float
    deadline: float | None = None
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    runner: str | None = None
    stopping: bool = False
    phase: str | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    reservation: Reservation | None = None
    code: FailureCode | None = None
    problem: str | None = None
    result: Mapping[str, Any] | None = None
    proof: str | None = None

    def fields(self) -> dict[str, Any]:
        """What its client sees."""
        return {
            "id": self.id,
            "key": self.key,
            "state": self.state.value,
            "priority": self.priority,
            "context": self.context.decode(errors="replace"),
            "created": self.created,
            "deadline": self.deadline,
            "started": self.started,
            "finished": self.finished,
            "attempts": self.attempts,
            "phase": self.phase,
            "phases": dict(self.phases),
            "code": None if self.code is None else self.code.value,
            "problem": self.problem,
            "result": self.result,
        }
