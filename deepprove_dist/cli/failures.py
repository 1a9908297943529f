"""Errors as people see them: one line on standard error and an exit status."""

from __future__ import annotations

from typing import Any

import click

from deepprove_dist.errors import DeepProveError, InputError, InputRangeError


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
    if isinstance(error, OSError):
        return Unreadable(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    if isinstance(error, InputRangeError) and error.clamps:
        advice = "--clamp moves it to the end of the range; or calibrate on more samples"
        return Unreadable(f"{error.problem}; {advice}")
    return Unreadable(str(error)) if isinstance(error, InputError) else click.ClickException(str(error))
