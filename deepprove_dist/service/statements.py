"""Statements that each job needs, for the store. To build one takes longer than SQLite needs for it."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select, update

from deepprove_dist.service.job import JobState
from deepprove_dist.service.schedule import Waiting
from deepprove_dist.service.tables import JOBS, PROOFS

# What a job is read from: its inputs are large, and its digest is for submissions.
COLUMNS = [column for column in JOBS.c if column.name not in ("inputs", "digest")]

BY_ID = select(*COLUMNS).where(JOBS.c.id == bindparam("id"))
KNOWN = select(*COLUMNS, JOBS.c.digest).where(
    JOBS.c.client == bindparam("client"), JOBS.c.idempotency_key == bindparam("idempotency_key")
)
INSERT = insert(JOBS)
INPUTS = select(JOBS.c.inputs).where(JOBS.c.id == bindparam("id"))
PROOF = select(PROOFS.c.content).where(PROOFS.c.job == bindparam("id"))
KEEP_PROOF = insert(PROOFS)
WAITS = JOBS.c.state == JobState.QUEUED.value
RUNS = JOBS.c.state == JobState.RUNNING.value

HELD = update(JOBS).where(
    JOBS.c.id == bindparam("held"),
    RUNS,
    JOBS.c.runner == bindparam("holder"),
    JOBS.c.attempts == bindparam("attempt"),
)
"""What else a runner changes of its job is in the parameters, by the columns' names."""

CLAIM = (
    update(JOBS)
    .where(JOBS.c.id == bindparam("held"), WAITS)
    .values(state=JobState.RUNNING.value, attempts=JOBS.c.attempts + 1, phase=None, phases=None)
)
"""Gives a job that waits to a runner: the parameters have its name, its lease and the time."""

QUEUED = select(
    func.count(),
    func.count().filter(JOBS.c.client == bindparam("client")),
    func.count().filter((JOBS.c.key == bindparam("key")) & JOBS.c.reserved_number.is_(None)),
).where(WAITS)
"""How many jobs wait: all, those of a client, and those for a key that have no number of a proof yet."""

_PROVABLE = WAITS & JOBS.c.key.in_(bindparam("keys", expanding=True))
TURNS = select(JOBS.c.priority, JOBS.c.client).where(_PROVABLE).distinct()
"""The priorities and clients of what waits for some keys."""

FIRST_JOBS = (
    select(*(JOBS.c[name] for name in Waiting.__dataclass_fields__))
    .where(_PROVABLE, JOBS.c.priority == bindparam("highest"), JOBS.c.client == bindparam("turn"))
    .order_by(JOBS.c.deadline.is_(None), JOBS.c.deadline, JOBS.c.sequence)
    .limit(bindparam("most"))
)
"""The first jobs of a client, so many at most, that wait for some keys at the highest priority."""
