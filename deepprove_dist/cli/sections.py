"""Commands whose help lists options in sections, each under a title of its own.

`option` and `command` are click's. `option_group` puts options into a section.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

_OTHER = "Other options"
_WIDEST = 30


class SectionOption(click.Option):
    """An option, and the title of the section in which the help of its command lists it."""

    section = _OTHER


class SectionCommand(click.Command):
    """A command whose help has a section for each title; options without one stand last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the sections in the order of their first options, in columns of one width."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = None if isinstance(parameter, click.Argument) else parameter.get_help_record(ctx)
            if record is not None:
                # The option --help is click's.
                title = parameter.section if isinstance(parameter, SectionOption) else _OTHER
                sections.setdefault(title, []).append(record)
        sections[_OTHER] = sections.pop(_OTHER, [])
        lengths = [len(names) for records in sections.values() for names, _ in records]
        width = max(length for length in lengths if length <= _WIDEST)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl([(names.ljust(width), text) for names, text in records], col_max=width)


command = partial(click.command, cls=SectionCommand)
option = partial(click.option, cls=SectionOption)


def option_group(title: str, *options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """A decorator that gives a function these options, in their order, in the section `title`."""

    def decorate(function: Function) -> Function:
        present = len(getattr(function, "__click_params__", ()))
        for add in reversed(options):
            function = add(function)
        for added in function.__click_params__[present:]:  # type: ignore[attr-defined]
            added.section = title
        return function

    return decorate
