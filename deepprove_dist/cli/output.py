"""What a command prints: one JSON object for programs, or text and tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.protocol.system.names import printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


MOST_NUMBERS = 1000
"""That a text has in full, like a classifier's scores."""
EDGE = 3
"""Of a list that is not shown in full: values at either end."""


def report(
    fields: Mapping[str, Any], *, as_json: bool, view: Callable[[Mapping[str, Any]], Iterable[str | Table]]
) -> None:
    """Prints `fields` as one JSON object, or what `view` makes of them for people."""
    if as_json:
        click.echo(json.dumps(fields, default=_plain, allow_nan=False))
        return
    for part in view(fields):
        if isinstance(part, str):
            click.echo(printable(part, keep="\n"))
        else:
            _print_table(part)


def by_name(tensors: Mapping[str, Any]) -> Any:
    """The only tensor itself, or all of them under their names where a model has several."""
    return next(iter(tensors.values())) if len(tensors) == 1 else dict(tensors)


def pairs_table(title: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and values, without a header, as text."""
    rows = [(printable(name), printable(value)) for name, value in pairs]
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"  {name:{width}}   {value}" for name, value in rows]
    return "\n".join([*([title] if title else []), "", *lines, ""])


def records_table(title: str, records: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each record; the first record's keys are the columns, and numbers stand to the right."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    columns = list(records[0]) if records else []
    for name in columns:
        numeric = all(isinstance(record[name], (int, float)) for record in records)
        table.add_column(name, justify="right" if numeric else "left")
    for record in records:
        table.add_row(*(_cell(text(record[name])) for name in columns))
    return table


def _cell(value: str) -> Text:
    """A value as it is, where rich would read brackets as markup; it may be a name from a file."""
    from rich.text import Text

    return Text(printable(value))


def text(value: Any) -> str:
    """A value for people: six digits of a float, a dash for what is not known, brackets around lists.

    Of many numbers the first and last of each list are shown; `--json` has all of them.
    """
    return _text(value, elided=_numbers(value) > MOST_NUMBERS)


def _numbers(value: Any) -> int:
    """How many values there are in lists of lists."""
    return sum(map(_numbers, value)) if isinstance(value, (list, tuple)) else 1


def _text(value: Any, *, elided: bool) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        if elided and len(value) > 2 * EDGE + 1:
            parts = [*value[:EDGE], *value[-EDGE:]]
            texts = [_text(part, elided=True) for part in parts]
            texts.insert(EDGE, f"... ({len(value) - 2 * EDGE} more) ...")
        else:
            texts = [_text(part, elided=elided) for part in value]
        return f"[{', '.join(texts)}]"
    return text(_plain(value)) if isinstance(value, bytes) or hasattr(value, "tolist") else str(value)


def milliseconds(value: float) -> str:
    """A duration given in milliseconds."""
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.2f} ms"


def size(count: float) -> str:
    """A number of bytes, in the binary units that the documentation uses (1 KB = 1024 bytes)."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GB"


def percent(share: float | None) -> str:
    """A share between 0 and 1; a dash where it was not measured."""
    return "-" if share is None else f"{100 * share:.2f} %"


def _print_table(table: Table) -> None:
    from rich.console import Console

    # Without a terminal rich assumes 80 columns and would cut a log's tables short.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _plain(value: Any) -> Any:
    """What JSON can say instead of an array, a numpy number, bytes (hexadecimal) or a path."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
