"""Workers in this process, one after the other: for tests, and to measure the work of each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepprove_dist.errors import PeerError
from deepprove_dist.execution.cluster.connection import Address
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.key_worker import KeyWorker
from deepprove_dist.execution.sharing import Source
from deepprove_dist.execution.site import Site
from deepprove_dist.execution.worker import Worker, WorkerFactory


class InProcessExecutor:
    """As many seats as asked for, each with `threads` threads of its own.

    Without `peers` what they share goes through the coordinator.
    """

    def __init__(
        self, seats: int, threads: int = 1, worker: WorkerFactory = KeyWorker, peers: bool = True
    ) -> None:
        self._threads = threads
        self._factory = worker
        self._site = Site(fetch=self._fetch if peers else None)
        self._workers = [self._hire(seat) for seat in range(seats)]

    @property
    def seats(self) -> tuple[WorkerDescription, ...]:
        """All in this process."""
        return tuple(WorkerDescription("this process", self._threads) for _ in self._workers)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Runs the calls in the order of seats, to where they need each other and then to their ends."""
        begun = {seat: self._workers[seat].begin(request) for seat, request in requests.items()}
        return {seat: finish() for seat, finish in begun.items()}

    @property
    def peers(self) -> Mapping[int, Address] | None:
        """Seats find each other by number."""
        if self._site.fetch is None:
            return None
        return {seat: ("this process", seat) for seat in range(len(self._workers))}

    def distribute(self, path: Path, digest: bytes) -> None:
        """It is here."""
        self._site.files[digest] = path

    def replace(self, seat: int) -> None:
        """Forgets the seat's state."""
        self._workers[seat] = self._hire(seat)

    def move(self, seat: int) -> None:
        """Forgets the seat's state: there is one process only."""
        self.replace(seat)

    def close(self) -> None:
        """Forgets all states."""
        self._workers.clear()

    def _hire(self, seat: int) -> Worker:
        worker = self._factory(self._threads)
        worker.site, worker.seat = self._site, seat
        return worker

    def _fetch(self, number: int, sources: Sequence[Source]) -> list[bytes]:
        found = {source.seat: self._workers[source.seat].kept.find(number) for source in sources}
        values = [value for value in found.values() if value is not None]
        if len(values) < len(found):
            raise PeerError(f"worker {next(seat for seat in found if found[seat] is None)} gave nothing")
        return values
