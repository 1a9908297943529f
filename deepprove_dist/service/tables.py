"""The tables of the job store."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("client", String(255), nullable=False),
    Column("key", String(255), nullable=False),
    Column("idempotency_key", String(255)),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("context", LargeBinary, nullable=False),
    Column("clamp", Boolean, nullable=False),
    Column("carry", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    Column("deadline", Float),
    Column("started", Float),
    Column("finished", Float),
    Column("attempts", Integer, nullable=False),
    Column("runner", String(32)),
    Column("lease", Float),
    Column("stopping", Boolean, nullable=False),
    Column("phase", String(255)),
    Column("phases", Text),
    Column("reserved_epoch", BigInteger),
    Column("reserved_number", BigInteger),
    Column("reserved_nonce", LargeBinary),
    Column("code", String(16)),
    Column("problem", Text),
    Column("result", Text),
    Column("proof", Text),
    Column("inputs", LargeBinary),
    UniqueConstraint("client", "idempotency_key"),
    Index("jobs_by_turn", "state", "priority", "client", "deadline", "sequence"),
    Index("jobs_by_client", "client", "sequence"),
    # A number that was given away is never given again, also after jobs were removed.
    sqlite_autoincrement=True,
)

PROOFS = Table(
    "proofs",
    METADATA,
    # Beside the jobs: lists and counts of these do not read proofs.
    Column("job", String(32), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

RUNNERS = Table(
    "runners",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("started", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("status", Text, nullable=False),
)
