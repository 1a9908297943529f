"""Workers in this process, one after the other: for tests, and to measure the work of each alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from deepprove_dist.errors import PeerError
from deepprove_dist.execution.group.executor import WorkerDescription
from deepprove_dist.execution.network.address import Address, Publisher
from deepprove_dist.execution.workers.worker import ProcessContext, WorkerFactory
from deepprove_dist.kernels import LOG_WRITTEN


class InProcessExecutor:
    """As many ranks as asked for, each with `threads` threads for its kernels.

    Without `peers`, what ranks publish goes through the coordinator. `log_written`: see `ProcessContext`.
    """

    def __init__(
        self,
        ranks: int,
        worker: WorkerFactory,
        threads: int = 1,
        peers: bool = True,
        log_written: int = LOG_WRITTEN,
    ) -> None:
        self._factory = worker
        self._context = ProcessContext(threads, log_written, fetch=self._fetch if peers else None)
        self._workers = [worker(self._context, rank) for rank in range(ranks)]

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """All in this process."""
        return tuple(WorkerDescription("this process", self._context.threads) for _ in self._workers)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Runs the requests in the order of ranks, to where they need each other and then to their ends."""
        begun = {rank: self._workers[rank].begin(request) for rank, request in requests.items()}
        return {rank: finish() for rank, finish in begun.items()}

    @property
    def peers(self) -> Mapping[int, Address] | None:
        """Ranks reach each other by number."""
        if self._context.fetch is None:
            return None
        return {rank: Address("this process", rank) for rank in range(len(self._workers))}

    @property
    def files(self) -> Mapping[bytes, Path]:
        """What was distributed, by digest."""
        return self._context.files

    def distribute(self, path: Path, digest: bytes) -> None:
        """The file is here."""
        self._context.files[digest] = path

    def prepare(self, ranks: Collection[int]) -> None:
        """Nothing takes time here."""

    def replace(self, rank: int) -> None:
        """Forgets the rank's state."""
        self._workers[rank] = self._factory(self._context, rank)

    def move(self, rank: int) -> None:
        """Forgets the rank's state: there is one process only."""
        self.replace(rank)

    def close(self) -> None:
        """Forgets all states."""
        self._workers.clear()

    def _fetch(self, number: int, publishers: Sequence[Publisher]) -> list[bytes]:
        values = []
        for publisher in publishers:
            value = self._workers[publisher.rank].published.find(number)
            if value is None:
                raise PeerError(f"worker {publisher.rank} published nothing")
            values.append(value)
        return values
