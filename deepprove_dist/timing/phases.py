"""The time of a proof by workers, by phase: rounds, bytes, and how long each rank was busy and waiting.

In a round a rank is busy, and waits for the network, for slower ranks, and for what it fetches from them.
What is not spent in rounds is the coordinator's time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.timing.spans import OUTSIDE, Span, Trace

BYTES_OUT, BYTES_IN, BYTES_FETCHED = "bytes out", "bytes in", "bytes from peers"
"""What is counted of a rank's part of a round: bytes to it, from it, and from other ranks to it."""

_COLUMNS = (
    *("phase", "rounds", "coordinator_seconds", "worker"),
    *("bytes_out", "bytes_in", "busy_seconds", "waiting_seconds", "bytes_from_peers"),
)


@dataclass(frozen=True)
class WorkerTotals:
    """A rank's sums over a phase: bytes to it and from it, seconds busy and waiting, bytes from peers."""

    bytes_out: int
    bytes_in: int
    busy: float
    waiting: float
    fetched: int


@dataclass(frozen=True)
class PhaseTotals:
    """A phase's rounds, the coordinator's seconds, and sums by rank."""

    phase: str
    rounds: int
    coordinator: float
    workers: tuple[WorkerTotals, ...]


def phase_totals(trace: Trace, ranks: int) -> tuple[PhaseTotals, ...]:
    """Sums of each phase, in the order in which phases first began."""
    seconds = phase_seconds(trace)
    return tuple(_totals(trace, name, elapsed, ranks) for name, elapsed in seconds.items())


def phase_table(trace: Trace, ranks: int) -> str:
    """A CSV line for each phase and rank."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for total in phase_totals(trace, ranks):
        for rank, worker in enumerate(total.workers):
            writer.writerow(
                [
                    *(total.phase, total.rounds, f"{total.coordinator:.6f}", rank),
                    *(worker.bytes_out, worker.bytes_in, f"{worker.busy:.6f}", f"{worker.waiting:.6f}"),
                    worker.fetched,
                ]
            )
    return text.getvalue()


def phase_seconds(trace: Trace) -> dict[str, float]:
    """Seconds of each phase without those of the phases within it."""
    seconds: dict[str, float] = {OUTSIDE: 0.0}
    whole = Span(OUTSIDE, "phase", 0.0, trace.end)
    open_spans = [whole]
    seconds[OUTSIDE] += whole.seconds
    for span in sorted(trace.of_kind("phase"), key=lambda span: (span.start, -span.end)):
        while open_spans[-1].end <= span.start and len(open_spans) > 1:
            open_spans.pop()
        seconds[span.name] = seconds.get(span.name, 0.0) + span.seconds
        seconds[open_spans[-1].name] -= span.seconds
        open_spans.append(span)
    return seconds


def _totals(trace: Trace, phase: str, elapsed: float, ranks: int) -> PhaseTotals:
    rounds = [span for span in trace.of_kind("round") if span.phase == phase]
    work = [span for span in trace.of_kind("work") if span.phase == phase]
    calling = sum(span.seconds for span in rounds)
    workers = tuple(
        _worker_totals([span for span in work if span.rank == rank], calling) for rank in range(ranks)
    )
    return PhaseTotals(phase, len(rounds), elapsed - calling, workers)


def _worker_totals(work: Sequence[Span], calling: float) -> WorkerTotals:
    def total(name: str) -> int:
        return sum(span.counts[name] for span in work)

    busy = sum(span.seconds for span in work)
    # A rank that a round leaves out waits for its end too.
    waiting = max(0.0, calling - busy)
    return WorkerTotals(total(BYTES_OUT), total(BYTES_IN), busy, waiting, total(BYTES_FETCHED))
