"""`deepprove-dist report`: where time went, from the lines that TIMED_OUTPUT collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options
from deepprove_dist.cli.output import milliseconds, percent, records_table, report, size
from deepprove_dist.timing_report import draw_groups, group_calls, read_timed_calls

if TYPE_CHECKING:
    from rich.table import Table


@click.command("report")
@click.argument("timings", type=options.FILE)
@click.option(
    "-o",
    "--output",
    type=options.NEW_PATH,
    metavar="PNG",
    help="File for the picture; default: named like TIMINGS.",
)
@options.json_option
def command(timings: Path, output: Path | None, as_json: bool) -> None:
    """Add up the timed calls of the file TIMINGS by phase, name and layer, and draw them.

    Any command writes such a file where the variable TIMED_OUTPUT names one. A call may contain others.

    \b
    Example:
      TIMED_OUTPUT=prover_perf.csv deepprove-dist prove keys --input input.json -o proof
      deepprove-dist report prover_perf.csv
    """
    groups = group_calls(read_timed_calls(timings))
    picture = output or timings.with_suffix(".png")
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
                "workers": group["workers"],
                "total": milliseconds(group["total_ms"]),
                "median": milliseconds(group["median_ms"]),
                "most": milliseconds(group["most_ms"]),
                "of phase": percent(group["share"]),
                "bytes": size(group["bytes"]),
            }
            for group in fields["groups"]
        ],
    )
    yield f"Picture written to {fields['picture']}"
