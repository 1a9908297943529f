"""Workers in this process, one after the other: for tests, and to measure the work of each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepprove_dist.errors import PeerError
from deepprove_dist.execution.all_gather import Publisher
from deepprove_dist.execution.cluster.connection import Address
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.process_context import ProcessContext
from deepprove_dist.execution.worker import Worker, WorkerFactory
from deepprove_dist.execution.worker_api import KeyWorker


class InProcessExecutor:
    """As many ranks as asked for, each with `threads` threads of its own.

    Without `peers` what they share goes through the coordinator.
    """

    def __init__(
        self, ranks: int, threads: int = 1, worker: WorkerFactory = KeyWorker, peers: bool = True
    ) -> None:
        self._threads = threads
        self._factory = worker
        self._context = ProcessContext(fetch=self._fetch if peers else None)
        self._workers = [self._create_worker(rank) for rank in range(ranks)]

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """All in this process."""
        return tuple(WorkerDescription("this process", self._threads) for _ in self._workers)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Runs the calls in the order of ranks, to where they need each other and then to their ends."""
        begun = {rank: self._workers[rank].begin(request) for rank, request in requests.items()}
        return {rank: finish() for rank, finish in begun.items()}

    @property
    def peers(self) -> Mapping[int, Address] | None:
        """Ranks find each other by number."""
        if self._context.fetch is None:
            return None
        return {rank: ("this process", rank) for rank in range(len(self._workers))}

    def distribute(self, path: Path, digest: bytes) -> None:
        """It is here."""
        self._context.files[digest] = path

    def replace(self, rank: int) -> None:
        """Forgets the rank's state."""
        self._workers[rank] = self._create_worker(rank)

    def move(self, rank: int) -> None:
        """Forgets the rank's state: there is one process only."""
        self.replace(rank)

    def close(self) -> None:
        """Forgets all states."""
        self._workers.clear()

    def _create_worker(self, rank: int) -> Worker:
        worker = self._factory(self._threads)
        worker.context, worker.rank = self._context, rank
        return worker

    def _fetch(self, number: int, sources: Sequence[Publisher]) -> list[bytes]:
        found = {source.rank: self._workers[source.rank].kept.find(number) for source in sources}
        values = [value for value in found.values() if value is not None]
        if len(values) < len(found):
            raise PeerError(f"worker {next(rank for rank in found if found[rank] is None)} gave nothing")
        return values
