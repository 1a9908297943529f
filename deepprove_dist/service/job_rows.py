"""Jobs and the columns of their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.service.job import FailureCode, Job, JobState

SUBMITTED = ("client", "key", "priority", "context", "clamp", "carry")
"""What a job has of its submission."""

QUEUED_AGAIN: Mapping[str, Any] = {
    "state": JobState.QUEUED.value,
    "runner": None,
    "lease": None,
    "started": None,
    "phase": None,
}
"""What changes when a runner returns a job to the queue."""


def ending(state: JobState, now: float) -> dict[str, Any]:
    """What changes when a job ends, at `now` seconds since 1970."""
    return {"state": state.value, "finished": now, "lease": None, "phase": None, "inputs": None}


def job_of_row(row: Any) -> Job:
    """The job of a row with `statements.COLUMNS`."""
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
