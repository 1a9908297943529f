"""Errors as people see them: one line on standard error and an exit status."""

from __future__ import annotations

from typing import Any

import click

from deepprove_dist.errors import DeepProveError, InputError, InputRangeError
from deepprove_dist.protocol.names import printable


class OneLineErrors(click.Command):
    """A command whose foreseen errors become a line and a status, unless it is run with --debug."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except (DeepProveError, OSError) as error:
            if ctx.params["debug"]:
                raise
            raise _one_line(error) from error


class Unreadable(click.ClickException):
    """A file or value that the user gave cannot be used."""

    exit_code = 2


def _one_line(error: DeepProveError | OSError) -> click.ClickException:
    # Names from files are quoted, and are not to command a terminal.
    message = printable(_message(error), keep="\n")
    return Unreadable(message) if isinstance(error, (OSError, InputError)) else click.ClickException(message)


def _message(error: DeepProveError | OSError) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, InputRangeError) and error.clamps:
        return f"{error.problem}; --clamp moves it to the end of the range; or calibrate on more samples"
    return str(error)
