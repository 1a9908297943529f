"""What a submission may ask for, and what the service has: refusals before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.memory import MOST_BYTES
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT
from deepprove_dist.protocol.parameters import PROCESS_BYTES
from deepprove_dist.service.clients import ServiceClient
from deepprove_dist.service.job import MAX_PRIORITY, MIN_PRIORITY
from deepprove_dist.service.problem import ServiceProblem
from deepprove_dist.service.served_key import ServedKey

_LONGEST_NAME = 255


@dataclass(frozen=True)
class SubmissionLimits:
    """Attributes:
    body_bytes: of a request's body, as sent and decompressed.
    body_seconds: that a body may take to arrive.
    wait_seconds: that one request may wait for a job.
    queued, queued_of_client: jobs that may wait, in all and of one client.
    memory_bytes: that a proof may take.
    job_seconds: that a proof may take.
    workers: that share a proof.
    rekeys: runners make the next epoch where no proof of hiding keys is left.
    """

    body_bytes: int = 64 << 20
    body_seconds: float = 60.0
    wait_seconds: float = 60.0
    queued: int = 10_000
    queued_of_client: int = 1_000
    memory_bytes: int = MOST_BYTES
    job_seconds: float = 3600.0
    workers: int = 1
    rekeys: bool = False


@dataclass(frozen=True)
class SubmissionOptions:
    """What a submission says beside its body; see Submission."""

    index: range
    context: bytes = b""
    clamp: bool = False
    carry: bool = True
    priority: int = MIN_PRIORITY
    seconds: float | None = None
    idempotency_key: str | None = None


def require_options(client: ServiceClient, options: SubmissionOptions) -> None:
    """Requires options that this client may ask for. Raises ServiceProblem."""
    if len(options.context) > MAX_CONTEXT:
        raise ServiceProblem(422, "input", f"a context has at most {MAX_CONTEXT:,} bytes")
    if not MIN_PRIORITY <= options.priority <= MAX_PRIORITY:
        raise ServiceProblem(422, "priority", f"priorities are {MIN_PRIORITY} to {MAX_PRIORITY}")
    if options.priority > client.max_priority:
        detail = f"{client.name} may ask for priorities up to {client.max_priority}"
        raise ServiceProblem(403, "priority", detail)
    if options.seconds is not None and not 0 < options.seconds < float("inf"):
        raise ServiceProblem(422, "deadline", "a deadline is a positive number of seconds from now")
    if options.idempotency_key is not None and not 0 < len(options.idempotency_key) <= _LONGEST_NAME:
        detail = f"an idempotency key has 1 to {_LONGEST_NAME} characters"
        raise ServiceProblem(422, "idempotency_key", detail)


def require_resources(served: ServedKey, options: SubmissionOptions, limits: SubmissionLimits) -> None:
    """Requires memory and time for a proof with a key. Raises ServiceProblem."""
    price = served.price
    needed = PROCESS_BYTES + price.memory_bytes
    if needed > limits.memory_bytes:
        figures = f"{needed / 1e9:,.2f} GB, and the service has {limits.memory_bytes / 1e9:,.2f} GB"
        detail = f"a proof of {served.name!r} takes about {figures}"
        raise ServiceProblem(422, "memory", detail)
    seconds = price.proving_ms / 1000 / limits.workers
    most = limits.job_seconds if options.seconds is None else min(options.seconds, limits.job_seconds)
    if seconds > most:
        detail = f"a proof of {served.name!r} takes about {seconds:,.3g} s, and there are {most:,.3g} s"
        raise ServiceProblem(422, "time", detail)
