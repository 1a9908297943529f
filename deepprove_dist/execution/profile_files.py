"""A profile as files: a table (CSV), a trace that Perfetto and Chrome open, and a picture of all workers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.profile import Profile

TABLE, TRACE, PICTURE = "phases.csv", "trace.json", "timeline.png"
_COLUMNS = (
    *("phase", "rounds", "coordinator_seconds", "worker"),
    *("bytes_out", "bytes_in", "busy_seconds", "waiting_seconds", "bytes_from_peers"),
)


def require_picture() -> None:
    """Raises ExecutionError where matplotlib is missing: better before a long proof than after it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ExecutionError(
            "a profile's picture needs matplotlib: pip install 'deepprove-dist[bench]'"
        ) from error


def write_profile(profile: Profile, ranks: Sequence[WorkerDescription], folder: Path) -> None:
    """Writes the three files into `folder`. Raises OSError, or ExecutionError without matplotlib."""
    write_atomically(folder / TABLE, table(profile, len(ranks)).encode())
    write_atomically(folder / TRACE, json.dumps(trace(profile, ranks)).encode())
    write_atomically(folder / PICTURE, picture(profile, len(ranks)))


def table(profile: Profile, ranks: int) -> str:
    """A line for each phase and worker."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for total in profile.totals(ranks):
        for rank, worker in enumerate(total.workers):
            writer.writerow(
                [
                    *(total.phase, total.rounds, f"{total.coordinator:.6f}", rank),
                    *(worker.bytes_out, worker.bytes_in, f"{worker.busy:.6f}", f"{worker.waiting:.6f}"),
                    worker.fetched,
                ]
            )
    return text.getvalue()


def trace(profile: Profile, ranks: Sequence[WorkerDescription]) -> dict[str, object]:
    """The trace event format: line 0 is the coordinator's phases, line 1 + s what rank s was busy with.

    Clocks of machines are not compared: a worker is drawn busy from the beginning of a round.
    """
    names = ["coordinator", *(f"worker {rank} on {each.node}" for rank, each in enumerate(ranks))]
    events: list[dict[str, object]] = [
        {"name": "thread_name", "ph": "M", "pid": 0, "tid": line, "args": {"name": name}}
        for line, name in enumerate(names)
    ]
    for stretch in profile.stretches:
        events.append(_slice(0, stretch.phase, stretch.begin, stretch.end - stretch.begin, {}))
    for each in profile.rounds:
        for rank, share in each.shares.items():
            about = {
                "phase": each.phase,
                "bytes out": share.bytes_out,
                "bytes in": share.bytes_in,
                "bytes from peers": share.fetched,
            }
            events.append(_slice(1 + rank, each.method, each.begin, share.busy, about))
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def _slice(line: int, name: str, begin: float, seconds: float, about: dict[str, object]) -> dict[str, object]:
    when = {"ts": 1e6 * begin, "dur": 1e6 * seconds}
    return {"name": name, "ph": "X", "pid": 0, "tid": line, **when, "args": about}


def picture(profile: Profile, ranks: int) -> bytes:
    """A PNG: a bar for each worker, filled where it was busy, in the colour of the phase."""
    require_picture()
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    phases = [total.phase for total in profile.totals(ranks)]
    colours = {phase: f"C{index % 10}" for index, phase in enumerate(phases)}
    figure = Figure(figsize=(12, 1.5 + 0.3 * (1 + ranks)), layout="constrained")
    axes = figure.add_subplot()
    for stretch in profile.stretches:
        span = (stretch.begin, stretch.end - stretch.begin)
        axes.broken_barh([span], (-0.4, 0.8), facecolors=colours[stretch.phase], alpha=0.4)
    for rank in range(ranks):
        for phase in phases:
            busy = [
                (each.begin, each.shares[rank].busy)
                for each in profile.rounds
                if each.phase == phase and rank in each.shares
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
