"""The time of timed calls by phase, name and layer."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepprove_dist.timing.spans import Span


@dataclass(frozen=True)
class CallGroup:
    """All calls of one name in one phase and layer; times in milliseconds, `share` of their phase's time."""

    phase: str
    name: str
    layer: str
    calls: int
    total_ms: float
    median_ms: float
    longest_ms: float
    bytes: int
    share: float


def group_calls(spans: Iterable[Span]) -> list[CallGroup]:
    """Timed calls by phase, name and layer, phases in the order of their first call, the longest total first.

    A call may contain others, so times of a phase may add up to more than it took.
    """
    groups: dict[tuple[str, str, str], list[Span]] = defaultdict(list)
    phases: dict[str, float] = {}
    calls = [span for span in spans if span.kind == "call"]
    for call in sorted(calls, key=lambda call: call.start):
        groups[call.phase, call.name, call.layer].append(call)
        phases[call.phase] = phases.get(call.phase, 0.0) + call.seconds
    order = {phase: index for index, phase in enumerate(phases)}
    rows = [_group(key, members, phases[key[0]]) for key, members in groups.items()]
    return sorted(rows, key=lambda row: (order[row.phase], -row.total_ms))


def _group(key: tuple[str, str, str], members: Sequence[Span], phase_seconds: float) -> CallGroup:
    phase, name, layer = key
    milliseconds = [1e3 * call.seconds for call in members]
    total = sum(milliseconds)
    return CallGroup(
        phase,
        name,
        layer,
        len(members),
        total,
        statistics.median(milliseconds),
        max(milliseconds),
        sum(sum(call.counts.values()) for call in members),
        total / (1e3 * phase_seconds) if phase_seconds else 0.0,
    )
