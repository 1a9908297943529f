"""The package's log on standard error: what it waits for, and warnings, such as a worker that is replaced."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from deepprove_dist.protocol.system.names import printable

LOGGER = "deepprove_dist"


class _TextFormatter(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        kind = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        # Names of nodes and files come from elsewhere, and are not to command a terminal.
        return f"{kind}{printable(record.getMessage())}"


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


@contextmanager
def shown_warnings(log_format: str = "text", job: str = "") -> Iterator[None]:
    """Shows the package's log while the block runs: as lines of text, or of JSON with a job's id."""
    logger, handler = logging.getLogger(LOGGER), _StandardError()
    formatter: logging.Formatter = _TextFormatter()
    least = logging.INFO
    if log_format == "json":
        from deepprove_dist.job_logging import JsonFormatter

        # People see results on standard output; programs that read the log see them here too.
        formatter, least = JsonFormatter(job), logging.DEBUG
    handler.setFormatter(formatter)
    level = logger.level
    logger.setLevel(least)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
