"""A trace in Chrome's trace event format, which ui.perfetto.dev opens.

Line 0 has the coordinator's phases, line 1 its timed calls, and line 2 + r what rank r was busy with.
A span's kind is the event's category, so that a file can be read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from deepprove_dist.errors import FormatError
from deepprove_dist.timing.spans import Kind, Span, Trace

_LINES: dict[str, int] = {"phase": 0, "round": 0, "call": 1, "work": 2}
_MICROSECONDS = 1e6


class _Details(msgspec.Struct):
    phase: str
    layer: str
    rank: int | None
    counts: dict[str, int]


class _SpanEvent(msgspec.Struct, tag="X", tag_field="ph"):
    name: str
    cat: Kind
    ts: float
    dur: float
    pid: int
    tid: int
    args: _Details


class _NameEvent(msgspec.Struct, tag="M", tag_field="ph"):
    name: str
    pid: int
    tid: int
    args: dict[str, Any]


class _File(msgspec.Struct):
    traceEvents: list[_SpanEvent | _NameEvent]  # noqa: N815 - the format's name
    displayTimeUnit: str = "ms"  # noqa: N815


def chrome_trace(trace: Trace, nodes: Sequence[str]) -> bytes:
    """The trace as JSON; `nodes` names what each rank ran on."""
    names = ["phases", "calls", *(f"worker {rank} on {node}" for rank, node in enumerate(nodes))]
    events: list[_SpanEvent | _NameEvent] = [
        _NameEvent("thread_name", 0, line, {"name": name}) for line, name in enumerate(names)
    ]
    events += [_event(span) for span in trace.spans]
    return msgspec.json.encode(_File(events))


def read_chrome_trace(path: Path) -> list[Span]:
    """The spans of a file that `chrome_trace` made. Raises OSError, and FormatError for another file."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except msgspec.DecodeError as error:
        raise FormatError(f"{path} is no trace of this package: {error}") from error
    return [_span(event) for event in file.traceEvents if isinstance(event, _SpanEvent)]


def _event(span: Span) -> _SpanEvent:
    details = _Details(span.phase, span.layer, span.rank, dict(span.counts))
    line = _LINES[span.kind] + (span.rank or 0)
    start, seconds = _MICROSECONDS * span.start, _MICROSECONDS * span.seconds
    return _SpanEvent(span.name, span.kind, start, seconds, 0, line, details)


def _span(event: _SpanEvent) -> Span:
    start, details = event.ts / _MICROSECONDS, event.args
    end = start + event.dur / _MICROSECONDS
    return Span(event.name, event.cat, start, end, details.phase, details.layer, details.rank, details.counts)
