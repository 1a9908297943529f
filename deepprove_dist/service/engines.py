"""How a database is reached, by its address."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 30.0


def open_engines(url: str) -> tuple[Engine, Engine]:
    """One whose commits are on disk, and one whose last commits may be lost with the machine's power.

    Neither loses anything with a process. Only SQLite knows the second one here.
    """
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True)
        return engine, engine
    return _sqlite(url, "FULL"), _sqlite(url, "NORMAL")


def _sqlite(url: str, synchronous: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, poolclass=QueuePool, pool_size=20)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Readers do not wait for the writer.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    return engine
