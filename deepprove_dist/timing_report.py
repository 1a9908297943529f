"""What a file of timed calls says: time by phase, name and layer, as records and as a picture."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.errors import FormatError
from deepprove_dist.pictures import save, stacked_bars
from deepprove_dist.timing import COLUMNS


@dataclass(frozen=True)
class TimedCall:
    """A line of the file: `start` and `duration` in seconds."""

    name: str
    phase: str
    layer: str
    start: float
    duration: float
    bytes: int
    worker: str


@dataclass(frozen=True)
class TimedGroup:
    """All calls of one name in one phase and layer; times in milliseconds, `share` of their phase's time."""

    phase: str
    name: str
    layer: str
    calls: int
    workers: int
    total_ms: float
    median_ms: float
    most_ms: float
    bytes: int
    share: float


def read_timed_calls(path: Path) -> list[TimedCall]:
    """The calls of a file. Raises OSError, or FormatError for a file with other columns or values."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        if tuple(next(rows, ())) != COLUMNS:
            raise FormatError(f"{path}: not a file of timed calls, whose columns are {', '.join(COLUMNS)}")
        calls = []
        for number, row in enumerate(rows, start=2):
            try:
                name, phase, layer, start, duration, size, worker = row
                calls.append(TimedCall(name, phase, layer, float(start), float(duration), int(size), worker))
            except ValueError as error:
                raise FormatError(f"{path}, line {number}: {error}") from error
    return calls


def group_calls(calls: Sequence[TimedCall]) -> list[TimedGroup]:
    """Calls by phase, name and layer, phases in the order of their first call, the longest total first."""
    groups: dict[tuple[str, str, str], list[TimedCall]] = defaultdict(list)
    phases: dict[str, float] = {}
    for call in sorted(calls, key=lambda call: call.start):
        groups[call.phase, call.name, call.layer].append(call)
        phases[call.phase] = phases.get(call.phase, 0.0) + call.duration
    order = {phase: place for place, phase in enumerate(phases)}
    found = [_group(key, members, phases[key[0]]) for key, members in groups.items()]
    return sorted(found, key=lambda group: (order[group.phase], -group.total_ms))


def _group(key: tuple[str, str, str], members: list[TimedCall], phase_seconds: float) -> TimedGroup:
    phase, name, layer = key
    milliseconds = [1e3 * call.duration for call in members]
    total = sum(milliseconds)
    return TimedGroup(
        phase,
        name,
        layer,
        len(members),
        len({call.worker for call in members}),
        total,
        statistics.median(milliseconds),
        max(milliseconds),
        sum(call.bytes for call in members),
        total / (1e3 * phase_seconds) if phase_seconds else 0.0,
    )


def draw_groups(groups: Sequence[TimedGroup], file: Path) -> None:
    """A bar for each phase, made of its calls' total times, as PNG."""
    phases = list(dict.fromkeys(group.phase for group in groups))
    parts: dict[str, list[float]] = {}
    for group in groups:
        heights = parts.setdefault(group.name, [0.0] * len(phases))
        heights[phases.index(group.phase)] += group.total_ms
    save(stacked_bars("Time by phase", "total (ms)", phases, parts), file)
