"""The timeline of a proof by workers, as a picture: a panel for loading and one for each proof.

A panel has a row for the phases and one for each rank. A rank's row is filled where it was busy, and hatched
where it waited: for the network, for slower ranks, for what it fetches. Where no round is under way, the
coordinator works, and the row is empty.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deepprove_dist.pictures import require_matplotlib
from deepprove_dist.timing.phases import phase_seconds
from deepprove_dist.timing.spans import OUTSIDE, Span, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOADING, PROOF = "load", "proof"
MOST_PROOFS = 6
"""Further proofs are in the trace alone."""

_HATCH = "////"


@dataclass(frozen=True)
class Panel:
    """A part of a trace with its clock at 0, and what it shows."""

    title: str
    trace: Trace


def panels(trace: Trace) -> list[Panel]:
    """Loading, and each proof up to a number; the whole trace where it has neither."""
    loads = [span for span in trace.of_kind("phase") if span.name == LOADING]
    proofs = [span for span in trace.of_kind("call") if (span.phase, span.name) == ("whole", PROOF)]
    parts = [Panel(f"Loading: {span.seconds:.2f} s", _part(trace, span)) for span in loads]
    for number, span in enumerate(proofs[:MOST_PROOFS], start=1):
        more = f" (of {len(proofs)})" if len(proofs) > 1 else ""
        parts.append(Panel(f"Proof {number}{more}: {span.seconds:.2f} s", _part(trace, span)))
    return parts or [Panel(f"All: {trace.end:.2f} s", trace)]


def waiting(trace: Trace, rank: int) -> list[tuple[float, float]]:
    """When a rank waited, as starts and lengths: in each round, from the end of its work to the round's."""
    ends = {span.start: span.end for span in trace.of_kind("work") if span.rank == rank}
    begins = [(ends.get(span.start, span.start), span.end) for span in trace.of_kind("round")]
    return [(begin, end - begin) for begin, end in begins if end > begin]


def draw_timeline(trace: Trace, ranks: int) -> bytes:
    """The picture as PNG. Raises MissingPackageError without matplotlib."""
    require_matplotlib()
    from matplotlib.figure import Figure

    shown = panels(trace)
    figure = Figure(figsize=(13, len(shown) * (1.3 + 0.3 * (1 + ranks))), layout="constrained")
    names = dict.fromkeys(name for panel in shown for name in phase_seconds(panel.trace))
    colours = {name: f"C{index % 10}" for index, name in enumerate(names)}
    for index, panel in enumerate(shown):
        _draw(figure.add_subplot(len(shown), 1, index + 1), panel, ranks, colours)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def legend_lines(trace: Trace) -> dict[str, str]:
    """For each phase its name and its share of the panel's time."""
    seconds = phase_seconds(trace)
    total = max(sum(seconds.values()), 1e-9)
    return {name: f"{name}, {_share(value / total)}" for name, value in seconds.items()}


def _share(share: float) -> str:
    return "under 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def _draw(axes: Axes, panel: Panel, ranks: int, colours: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    trace = panel.trace
    whole = Span(OUTSIDE, "phase", 0.0, trace.end)
    # Phases within others are drawn later, above them.
    for span in [whole, *sorted(trace.of_kind("phase"), key=lambda span: span.start)]:
        axes.broken_barh([(span.start, span.seconds)], (-0.4, 0.8), facecolors=colours[span.name])
    for rank in range(ranks):
        idle = waiting(trace, rank)
        axes.broken_barh(idle, (rank + 0.6, 0.8), facecolors="white", edgecolor="0.75", hatch=_HATCH, lw=0)
        for span in trace.of_kind("work"):
            if span.rank == rank:
                bar = (span.start, span.seconds)
                axes.broken_barh([bar], (rank + 0.6, 0.8), facecolors=colours[span.phase])
    axes.set_yticks(range(1 + ranks), ["phase", *(f"worker {rank}" for rank in range(ranks))])
    axes.set_xlim(0.0, max(trace.end, 1e-9))
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.set_title(panel.title, loc="left")
    patches = [Patch(color=colours[name], label=line) for name, line in legend_lines(trace).items()]
    patches.append(Patch(facecolor="white", edgecolor="0.75", hatch=_HATCH, label="waiting"))
    axes.legend(handles=patches, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _part(trace: Trace, whole: Span) -> Trace:
    """The spans within another one, with their times from its start."""
    part = Trace()
    part.end = whole.seconds
    part.spans = [_moved(span, whole.start) for span in _within(trace.spans, whole)]
    return part


def _within(spans: Sequence[Span], whole: Span) -> list[Span]:
    return [span for span in spans if whole.start <= span.start and span.end <= whole.end]


def _moved(span: Span, start: float) -> Span:
    return replace(span, start=span.start - start, end=span.end - start)
