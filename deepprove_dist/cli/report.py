"""`deepprove-dist report`: where time went, from the trace of a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import milliseconds, percent, records_table, report, size
from deepprove_dist.timing.chrome import read_chrome_trace
from deepprove_dist.timing.files import draw_groups
from deepprove_dist.timing.table import group_calls

if TYPE_CHECKING:
    from rich.table import Table


@sections.command("report")
@click.argument("trace", type=options.FILE, help="A file that `prove --trace` wrote.")
@sections.option(
    "-o",
    "--output",
    type=options.NEW_PATH,
    metavar="PNG",
    help="File for the picture. Default: the trace's name, with .png.",
)
@options.json_option
def command(trace: Path, output: Path | None, as_json: bool) -> None:
    """Add up the timed calls of the file TRACE by phase, name and layer, and draw them.

    `prove --trace FOLDER` writes such a file. A call may contain others.

    \b
    Example:
      deepprove-dist prove keys --input input.json -o proof --trace trace
      deepprove-dist report trace/trace.json
    """
    groups = group_calls(read_chrome_trace(trace))
    picture = output or trace.with_suffix(".png")
    draw_groups(groups, picture)
    fields = {"picture": picture, "groups": [asdict(group) for group in groups]}
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    yield records_table(
        "Timed calls",
        [
            {
                "phase": group["phase"],
                "name": group["name"],
                "layer": group["layer"],
                "calls": group["calls"],
                "total": milliseconds(group["total_ms"]),
                "median": milliseconds(group["median_ms"]),
                "longest": milliseconds(group["longest_ms"]),
                "of phase": percent(group["share"]),
                "bytes": size(group["bytes"]),
            }
            for group in fields["groups"]
        ],
    )
    yield f"Picture written to {fields['picture']}"
