"""Runners say in the database that they live, and what they do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from deepprove_dist.service.engines import Engines
from deepprove_dist.service.leases import LEASE_SECONDS
from deepprove_dist.service.tables import RUNNERS

_FORGET_SECONDS = 3600.0


@dataclass(frozen=True)
class RunnerRecord:
    """A runner that has been seen lately, and what it says of itself."""

    id: str
    started: float
    seen: float
    status: Mapping[str, Any]


class RunnerRecords:
    """The table of runners. Times are seconds since 1970, by `clock`."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines, self._clock = engines, clock

    def report(self, runner: str, started: float, status: Mapping[str, Any]) -> None:
        """Says that a runner lives, and what it does."""
        now, text = self._clock(), json.dumps(dict(status))
        row = {"started": started, "seen": now, "status": text}
        with self._engines.relaxed.begin() as connection:
            changed = connection.execute(update(RUNNERS).where(RUNNERS.c.id == runner).values(row))
            if changed.rowcount == 0:
                connection.execute(insert(RUNNERS).values(id=runner, **row))
                connection.execute(delete(RUNNERS).where(RUNNERS.c.seen < now - _FORGET_SECONDS))

    def remove(self, runner: str) -> None:
        """A runner has ended."""
        with self._engines.durable.begin() as connection:
            connection.execute(delete(RUNNERS).where(RUNNERS.c.id == runner))

    def alive(self) -> list[RunnerRecord]:
        """The runners that were seen within a lease."""
        query = select(RUNNERS).where(RUNNERS.c.seen >= self._clock() - LEASE_SECONDS).order_by(RUNNERS.c.id)
        with self._engines.durable.connect() as connection:
            rows = connection.execute(query).all()
        return [RunnerRecord(row.id, row.started, row.seen, json.loads(row.status)) for row in rows]
