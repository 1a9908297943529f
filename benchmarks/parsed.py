"""Options that a function reads: its InputError is a wrong command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from deepprove_dist.errors import InputError


class Parsed(click.ParamType[Any]):
    """A value that a function makes of a text, whose InputError is a wrong command line."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text means."""
        try:
            return self._parse(value) if isinstance(value, str) else value
        except InputError as error:
            self.fail(str(error), param, ctx)
