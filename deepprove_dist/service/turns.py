"""What of a long queue decides which job is next: a few of its rows, and what clients have used lately."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from deepprove_dist.service import statements
from deepprove_dist.service.schedule import RECENT_SECONDS, Waiting
from deepprove_dist.service.tables import JOBS

CLIENTS_COMPARED, JOBS_COMPARED = 20, 50
"""The most clients, and the most jobs of one of them, that are looked at."""


def first_waiting(
    connection: Connection, keys: Collection[str], now: float
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
    used = _seconds_used(connection, now) if len(clients) > 1 else {}
    least = min(used.get(client, 0.0) for client in clients)
    turn = [client for client in clients if used.get(client, 0.0) == least][:CLIENTS_COMPARED]
    waiting = []
    for client in turn:
        asked = {**provable, "highest": highest, "turn": client, "most": JOBS_COMPARED}
        waiting += [Waiting(*row) for row in connection.execute(statements.FIRST_JOBS, asked)]
    return waiting, used


def _seconds_used(connection: Connection, now: float) -> dict[str, float]:
    """Seconds that each client's proofs took lately, those in progress included."""
    ended = func.coalesce(JOBS.c.finished, now)
    query = (
        select(JOBS.c.client, func.sum(ended - JOBS.c.started))
        .where(JOBS.c.started.is_not(None), ended > now - RECENT_SECONDS)
        .group_by(JOBS.c.client)
    )
    return dict(map(tuple, connection.execute(query)))
