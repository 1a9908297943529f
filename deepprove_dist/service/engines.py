"""How a database is reached, by its address."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 30.0


@dataclass(frozen=True)
class Engines:
    """A database. Neither way to it loses anything with a process.

    Attributes:
        durable: its commits are on disk.
        relaxed: its last commits may be lost with the machine's power. Only SQLite has such.
        log: the file that SQLite appends commits to; None for other databases.
    """

    durable: Engine
    relaxed: Engine
    log: Path | None

    def sync(self) -> None:
        """Brings to the disk what was committed so far; nobody waits for it meanwhile. Raises OSError.

        SQLite's commits are on disk once they are in its log there. It syncs what it takes out of the log.
        """
        if self.log is None:
            return
        # The folder too: the log may be new, and SQLite syncs that later.
        for path in (self.log, self.log.parent):
            try:
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                # SQLite removes an empty log, and has none on file systems that cannot share its memory.
                continue
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def close(self) -> None:
        """Closes all connections."""
        self.durable.dispose()
        self.relaxed.dispose()


def open_engines(url: str) -> Engines:
    """Both ways to the database at an address. Raises SQLAlchemy's errors."""
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True)
        return Engines(engine, engine, None)
    file = make_url(url).database
    if not file or file.startswith((":memory:", "file:")):
        engine = _sqlite(url, "FULL")
        return Engines(engine, engine, None)
    return Engines(_sqlite(url, "FULL"), _sqlite(url, "NORMAL"), Path(f"{file}-wal").absolute())


def _sqlite(url: str, synchronous: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, poolclass=QueuePool, pool_size=20)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Readers do not wait for the writer.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    return engine
