"""What happens to jobs: one record for each event, for logs and for metrics.

The service calls one function, an `Observer`, with every event. `log_event` is the one that it has by
default; whoever counts passes another one to `serve_locally`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum

from deepprove_dist.job_logging import logging_job

logger = logging.getLogger(__name__)


class JobEventKind(str, Enum):
    """Kinds of events, in the order in which a job may meet them."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    STARTED = "started"
    RETURNED = "returned"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


@dataclass(frozen=True)
class JobEvent:
    """Attributes:
    job: its id; empty for a submission that was refused.
    client, key: whose it is, and what it proves with.
    reason: why it was refused, failed, or returned to the queue.
    waited: seconds from its submission to its start.
    seconds: from its start to its end.
    phases: seconds by phase.
    remaining: proofs that a hiding key has left.
    """

    kind: JobEventKind
    job: str
    client: str
    key: str
    reason: str = ""
    waited: float = 0.0
    seconds: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)
    remaining: int | None = None


Observer = Callable[[JobEvent], None]
"""Called once for each event, in the process where it happens. It must neither raise nor take long."""


def log_event(event: JobEvent) -> None:
    """Writes a line to the log; with --log-format json it has the event's fields."""
    fields = {name: value for name, value in asdict(event).items() if value not in ("", 0.0, {}, None)}
    more = {**fields, "event": f"job {event.kind.value}"}
    # The log's formatter names jobs itself, and a record has no second field of that name.
    del more["kind"]
    more.pop("job", None)
    why = f": {event.reason}" if event.reason else ""
    with logging_job(event.job):
        text = "%s of %s %s%s"
        logger.info(text, event.job or "a job", event.client, event.kind.value, why, extra=more)
