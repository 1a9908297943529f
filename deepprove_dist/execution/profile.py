"""Where the time of a sharded proof goes: rounds, bytes, busy and waiting workers, by phase.

A round is a call to some ranks. A worker says how long it was busy; the rest of the round it waited, for the
network, slower workers, or what it fetched from them. What is not spent in rounds is the coordinator's own
time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from deepprove_dist.execution.messages import busy_seconds, fetched_bytes

OUTSIDE = "outside phases"


@dataclass(frozen=True)
class Share:
    """A rank's part of a round: bytes to it and from it, seconds it was busy, bytes it fetched from peers."""

    bytes_out: int
    bytes_in: int
    busy: float
    fetched: int


@dataclass(frozen=True)
class Round:
    """A call to some ranks: when it began and ended, in seconds since the profile began."""

    phase: str
    method: str
    begin: float
    end: float
    shares: Mapping[int, Share]


@dataclass(frozen=True)
class Stretch:
    """A time without change of phase, in seconds since the profile began."""

    phase: str
    begin: float
    end: float


@dataclass(frozen=True)
class WorkerTotals:
    """A rank's sums over a phase: bytes, seconds busy and waiting, and bytes fetched from peers."""

    bytes_out: int
    bytes_in: int
    busy: float
    waiting: float
    fetched: int


@dataclass(frozen=True)
class PhaseTotals:
    """A phase's rounds, the coordinator's own seconds, and sums by rank."""

    phase: str
    rounds: int
    coordinator: float
    workers: tuple[WorkerTotals, ...]


class Profile:
    """Records rounds and phases; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()
        self._phases = [OUTSIDE]
        self._since = 0.0
        self.rounds: list[Round] = []
        self.stretches: list[Stretch] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What happens inside belongs to that phase, unless a phase within it begins."""
        self._close_stretch()
        self._phases.append(name)
        try:
            yield
        finally:
            self._close_stretch()
            self._phases.pop()

    @contextmanager
    def call(self, method: str, requests: Mapping[int, bytes]) -> Iterator[dict[int, bytes]]:
        """A round; the answers are to be put into the yielded dictionary."""
        begin = self._now()
        answers: dict[int, bytes] = {}
        yield answers
        shares = {
            rank: Share(len(requests[rank]), len(answer), busy_seconds(answer), fetched_bytes(answer))
            for rank, answer in answers.items()
        }
        self.rounds.append(Round(self._phases[-1], method, begin, self._now(), shares))

    def finish(self) -> None:
        """Ends the last stretch of time: what comes after is not the proof's."""
        self._close_stretch()

    def totals(self, ranks: int) -> tuple[PhaseTotals, ...]:
        """Sums of each phase, in the order in which phases first began."""
        names = dict.fromkeys(each.phase for each in self.stretches)
        return tuple(self._total(name, ranks) for name in names)

    def _total(self, name: str, ranks: int) -> PhaseTotals:
        rounds = [each for each in self.rounds if each.phase == name]
        elapsed = sum(each.end - each.begin for each in self.stretches if each.phase == name)
        calling = sum(each.end - each.begin for each in rounds)
        workers = tuple(_worker_totals(rounds, rank) for rank in range(ranks))
        return PhaseTotals(name, len(rounds), elapsed - calling, workers)

    def _close_stretch(self) -> None:
        now = self._now()
        if now > self._since:
            self.stretches.append(Stretch(self._phases[-1], self._since, now))
        self._since = now

    def _now(self) -> float:
        return self._clock() - self._start


def _worker_totals(rounds: list[Round], rank: int) -> WorkerTotals:
    own = [each.shares[rank] for each in rounds if rank in each.shares]
    busy = sum(share.busy for share in own)
    # A rank that a round leaves out waits for its end too.
    elapsed = sum(each.end - each.begin for each in rounds)
    return WorkerTotals(
        sum(share.bytes_out for share in own),
        sum(share.bytes_in for share in own),
        busy,
        max(0.0, elapsed - busy),
        sum(share.fetched for share in own),
    )
