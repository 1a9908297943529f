"""The package's log on standard error: a line for each warning, such as a worker that is replaced."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from deepprove_dist.protocol.system.names import printable

LOGGER = "deepprove_dist"


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # Names of nodes and files come from elsewhere, and are not to command a terminal.
        click.echo(f"{record.levelname.capitalize()}: {printable(record.getMessage())}", err=True)


@contextmanager
def shown_warnings() -> Iterator[None]:
    """Shows warnings of the package while the block runs."""
    logger, handler = logging.getLogger(LOGGER), _StandardError(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
