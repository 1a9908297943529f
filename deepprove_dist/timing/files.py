"""A trace as files: a table (CSV), a trace that Perfetto and Chrome open, and a picture of all ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.pictures import save, stacked_bars
from deepprove_dist.timing.chrome import chrome_trace
from deepprove_dist.timing.phases import phase_table
from deepprove_dist.timing.spans import Trace
from deepprove_dist.timing.table import CallGroup
from deepprove_dist.timing.timeline import draw_timeline

TABLE, TRACE, PICTURE = "phases.csv", "trace.json", "timeline.png"


def write_trace(trace: Trace, nodes: Sequence[str], folder: Path) -> None:
    """Writes `trace.json`, and of a proof by workers `phases.csv` and `timeline.png`, into `folder`.

    `nodes` names what each rank ran on. Raises OSError, and MissingPackageError without matplotlib.
    """
    write_atomically(folder / TRACE, chrome_trace(trace, nodes))
    if nodes:
        write_atomically(folder / TABLE, phase_table(trace, len(nodes)).encode())
        write_atomically(folder / PICTURE, draw_timeline(trace, len(nodes)))


def draw_groups(groups: Sequence[CallGroup], file: Path) -> None:
    """A bar for each phase, made of its calls' total times, as PNG."""
    phases = list(dict.fromkeys(group.phase for group in groups))
    parts: dict[str, list[float]] = {}
    for group in groups:
        heights = parts.setdefault(group.name, [0.0] * len(phases))
        heights[phases.index(group.phase)] += group.total_ms
    save(stacked_bars("Time by phase", "total (ms)", phases, parts), file)
