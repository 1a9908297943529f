"""Errors as people see them: one line on standard error, and an exit status."""

from __future__ import annotations

import logging
import re
from typing import Any

import click

from deepprove_dist.errors import DeepProveError, InputError
from deepprove_dist.protocol.system.names import printable

logger = logging.getLogger(__name__)


class OneLineErrors(click.Command):
    """A command whose foreseen errors become a line and a status, unless it is run with --debug."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever reads the output has seen enough: click ends the program without a word.
            raise
        except (DeepProveError, OSError) as error:
            if ctx.params["debug"]:
                raise
            failure = _one_line(error)
            if ctx.params.get("log_format") == "json":
                logger.error("%s", failure.message, extra={"error": type(error).__name__})
                ctx.exit(failure.exit_code)
            raise failure from error


class Unreadable(click.ClickException):
    """A file or value that the user gave cannot be used."""

    exit_code = 2


_KEYWORD = re.compile(
    r"\b(accept_error|activation_bits|calibration_method|clamp|max_batch|model|output_form|transparent)="
    r"(?:True|'(?P<text>\w+)'|(?P<number>\d+)|(?P<any>\.\.\.))"
)
"""An argument of the Python interface in a sentence of the library: accept_error=True, model=..."""

_SHAPES = re.compile(r"\bshapes=\{'(.*?)': \((.*?)\)\}")
_OUTPUTS = re.compile(r"\boutputs=\['(.*?)'\]")


def with_flags(text: str) -> str:
    """A sentence of the library, with this program's options in place of Python's arguments.

    Example:
        >>> with_flags("pass activation_bits=12")
        'pass --activation-bits 12'
    """
    text = _SHAPES.sub(lambda match: f"--shape {match[1]}={match[2].replace(', ', ',')}", text)
    return _KEYWORD.sub(_flag, _OUTPUTS.sub(r"--output \1", text))


def _flag(match: re.Match[str]) -> str:
    value = match["text"] or match["number"] or ("FILE" if match["any"] else "")
    return f"--{match[1].replace('_', '-')} {value}".rstrip()


def _one_line(error: DeepProveError | OSError) -> click.ClickException:
    # Names from files are quoted, and are not to command a terminal.
    message = printable(_message(error), keep="\n")
    return Unreadable(message) if isinstance(error, (OSError, InputError)) else click.ClickException(message)


def _message(error: DeepProveError | OSError) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return with_flags(str(error))
