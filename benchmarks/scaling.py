"""How proving scales with workers: what was measured here, and what machines of their own would take.

Several workers on one machine share its cores, so their wall-clock time says little about a cluster. Their
busy times, the bytes they exchange and the rounds they wait for say more. With a machine for each worker, the
time of a proof is a sum:

- the coordinator's own time;
- in each round, the time of its slowest worker;
- a round trip for each round, and one more where workers fetch from each other;
- the transfer of the bytes.

Computed columns say so by their names, and under what network.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.pictures import lines, save


@dataclass(frozen=True)
class Network:
    """What the computed times assume between machines: a round trip's latency, bytes a second one way."""

    round_trip_ms: float = 1.0
    bytes_per_second: float = 1.25e9


@dataclass(frozen=True)
class ScalingPoint:
    """A proof on so many workers.

    Attributes:
        measured_ms: wall-clock time here.
        coordinator_ms: the coordinator's own.
        busy_ms: for each phase, the busy time of every worker.
        slowest_ms: the sum over all rounds of the busy time of the round's slowest worker.
        bytes_out: what leaves the coordinator, to all workers together.
        bytes_in: what reaches it.
        peer_bytes: the most that a worker gets from other workers.
        rounds: times that the coordinator waits for workers, and in them these for each other.
    """

    config: str
    workers: int
    measured_ms: float
    coordinator_ms: float
    busy_ms: Mapping[str, Sequence[float]]
    slowest_ms: float
    bytes_out: int
    bytes_in: int
    peer_bytes: int
    rounds: int

    @property
    def work_ms(self) -> float:
        """The time of all machines together."""
        return self.coordinator_ms + sum(map(sum, self.busy_ms.values()))

    def computed_ms(self, network: Network) -> float:
        """The time with a machine for each worker, no transfer at the same time as work."""
        transfer = 1e3 * (self.bytes_out + self.bytes_in + self.peer_bytes) / network.bytes_per_second
        return self.coordinator_ms + self.slowest_ms + self.rounds * network.round_trip_ms + transfer


def scaling_records(
    points: Iterable[ScalingPoint], network: Network | None = None
) -> list[dict[str, str | int | float]]:
    """A record for each point; efficiencies are relative to the fewest workers of the same configuration."""
    ordered = sorted(points, key=lambda point: (point.config, point.workers))
    network = network or Network()
    phases = list(dict.fromkeys(phase for point in ordered for phase in point.busy_ms))
    first: dict[str, ScalingPoint] = {}
    for point in ordered:
        first.setdefault(point.config, point)
    records: list[dict[str, str | int | float]] = []
    for point in ordered:
        base = first[point.config]
        share = base.workers / point.workers
        computed, computed_base = point.computed_ms(network), base.computed_ms(network)
        busy = {f"busy {phase} (ms)": max(point.busy_ms.get(phase, ()), default=0.0) for phase in phases}
        records.append(
            {
                "config": point.config,
                "workers": point.workers,
                "coordinator (ms)": point.coordinator_ms,
                **busy,
                "slowest workers (ms)": point.slowest_ms,
                "bytes out": point.bytes_out,
                "bytes in": point.bytes_in,
                "bytes from peers": point.peer_bytes,
                "rounds": point.rounds,
                "work (ms)": point.work_ms,
                "work to that of fewest": point.work_ms / base.work_ms,
                "measured total (ms)": point.measured_ms,
                "measured efficiency": share * base.measured_ms / point.measured_ms,
                "computed total (ms)": computed,
                "computed efficiency": share * computed_base / computed,
                "computed for round trip (ms)": network.round_trip_ms,
                "computed for bytes per second": network.bytes_per_second,
            }
        )
    return records


def write_scaling(points: Sequence[ScalingPoint], path: Path, network: Network | None = None) -> None:
    """The records as CSV; does nothing without points."""
    records = scaling_records(points, network)
    if not records:
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def draw_scaling(points: Sequence[ScalingPoint], file: Path, network: Network | None = None) -> None:
    """Times over numbers of workers, as PNG; the legend says what is added up and what is assumed."""
    network = network or Network()
    gigabits = 8e-9 * network.bytes_per_second
    kinds = {
        "measured": "measured here: all workers share this machine's cores",
        "computed": "computed: a machine for each worker, round trips of "
        f"{network.round_trip_ms:g} ms, {gigabits:g} Gbit/s",
        "work": "work of all machines, added up",
    }
    workers = sorted({point.workers for point in points})
    series: dict[str, list[float | None]] = {}
    for point in points:
        totals = {
            "measured": point.measured_ms,
            "computed": point.computed_ms(network),
            "work": point.work_ms,
        }
        for kind, total in totals.items():
            line = series.setdefault(f"{point.config}, {kinds[kind]}", [None] * len(workers))
            line[workers.index(point.workers)] = total
    figure = lines("Time of a proof by number of workers", "workers", "ms", workers, series)
    # Times that differ by little would otherwise look as if they differed by much.
    figure.axes[0].set_ylim(bottom=0.0)
    save(figure, file)
