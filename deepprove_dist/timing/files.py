"""A trace as files: a table (CSV), a trace that Perfetto and Chrome open, and a picture of all ranks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.pictures import require_matplotlib, save, stacked_bars
from deepprove_dist.timing.chrome import chrome_trace
from deepprove_dist.timing.phases import phase_table, phase_totals
from deepprove_dist.timing.spans import OUTSIDE, Span, Trace
from deepprove_dist.timing.table import CallGroup

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


def draw_timeline(trace: Trace, ranks: int) -> bytes:
    """A PNG: a bar for each rank, filled where it was busy, in the colour of the phase."""
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    phases = [total.phase for total in phase_totals(trace, ranks)]
    colours = {phase: f"C{index % 10}" for index, phase in enumerate(phases)}
    figure = Figure(figsize=(12, 1.5 + 0.3 * (1 + ranks)), layout="constrained")
    axes = figure.add_subplot()
    whole = Span(OUTSIDE, "phase", 0.0, trace.end)
    # Phases within others are drawn later, above them.
    for span in [whole, *sorted(trace.of_kind("phase"), key=lambda span: span.start)]:
        axes.broken_barh([(span.start, span.seconds)], (-0.4, 0.8), facecolors=colours[span.name])
    for phase in phases:
        for rank in range(ranks):
            busy = [
                (span.start, span.seconds)
                for span in trace.of_kind("work")
                if (span.phase, span.rank) == (phase, rank)
            ]
            axes.broken_barh(busy, (rank + 0.6, 0.8), facecolors=colours[phase])
    axes.set_yticks(range(1 + ranks), ["phase", *(f"worker {rank}" for rank in range(ranks))])
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    patches = [Patch(color=colour, label=phase) for phase, colour in colours.items()]
    figure.legend(handles=patches, loc="outside right upper")
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
