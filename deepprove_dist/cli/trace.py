"""The option `--trace`: where the time of a command goes, as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepprove_dist.cli import options, sections
from deepprove_dist.timing import Trace, recording

trace_option = sections.option(
    "--trace",
    type=options.NEW_PATH,
    metavar="FOLDER",
    help="Folder for what says where the time goes: a trace for ui.perfetto.dev and `report`. With workers "
    "there are also a table and a picture.",
)


@contextmanager
def traced(folder: Path | None) -> Iterator[list[str]]:
    """Writes a trace of what happens inside into a folder, if there is one.

    The names of the nodes that workers run on are to be put into the yielded list.
    """
    nodes: list[str] = []
    if folder is None:
        yield nodes
        return
    from deepprove_dist.pictures import require_matplotlib
    from deepprove_dist.timing.files import write_trace

    require_matplotlib()
    with recording(Trace()) as trace:
        yield nodes
    write_trace(trace, nodes, folder)
