"""The package's log on standard error: what it waits for, and warnings, such as a worker that is replaced."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from deepprove_dist.protocol.system.names import printable

LOGGER = "deepprove_dist"


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        # Names of nodes and files come from elsewhere, and are not to command a terminal.
        click.echo(f"{kind}{printable(record.getMessage())}", err=True)


@contextmanager
def shown_warnings() -> Iterator[None]:
    """Shows the package's log while the block runs."""
    logger, handler = logging.getLogger(LOGGER), _StandardError(logging.INFO)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
