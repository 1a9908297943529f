"""Log records for programs: a line of JSON each, with the job that it belongs to.

What a record has beside its text (`extra=`) becomes fields: worker, node, reason and others.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone

_JOB: ContextVar[str] = ContextVar("job", default="")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def logging_job(job: str) -> Iterator[None]:
    """Records of this thread inside the block belong to that job."""
    token = _JOB.set(job)
    try:
        yield
    finally:
        _JOB.reset(token)


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time (UTC), level, logger, job, message, and its further fields."""

    def __init__(self, job: str = "") -> None:
        """`job` has the records of threads that name none."""
        super().__init__()
        self._job = job

    def format(self, record: logging.LogRecord) -> str:
        """The object's text, without a line break."""
        fields = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "job": _JOB.get() or self._job,
            "message": record.getMessage(),
        }
        more = {name: value for name, value in vars(record).items() if name not in _STANDARD | set(fields)}
        if record.exc_info:
            more["exception"] = self.formatException(record.exc_info)
        return json.dumps({**fields, **more}, default=str)
