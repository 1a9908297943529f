"""Workers in this process, one after the other: for tests, and to measure the work of each alone."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.key_worker import KeyWorker
from deepprove_dist.execution.worker import WorkerFactory


class InProcessExecutor:
    """As many seats as asked for, each with `threads` threads of its own."""

    def __init__(self, seats: int, threads: int = 1, worker: WorkerFactory = KeyWorker) -> None:
        self._threads = threads
        self._factory = worker
        self._workers = [worker(threads) for _ in range(seats)]

    @property
    def seats(self) -> tuple[WorkerDescription, ...]:
        """All in this process."""
        return tuple(WorkerDescription("this process", self._threads) for _ in self._workers)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Runs the calls in the order of seats."""
        return {seat: self._workers[seat].handle(request) for seat, request in requests.items()}

    def replace(self, seat: int) -> None:
        """Forgets the seat's state."""
        self._workers[seat] = self._factory(self._threads)

    def move(self, seat: int) -> None:
        """Forgets the seat's state: there is one process only."""
        self.replace(seat)

    def close(self) -> None:
        """Forgets all states."""
        self._workers.clear()
