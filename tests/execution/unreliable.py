"""Workers in this process that get lost when a test says so."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.errors import PlacementError, WorkerLost
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.workers.worker import WorkerFactory
from tests.execution.dummy import dummy


class Unreliable(InProcessExecutor):
    """Loses the state of given ranks at given calls, counted over the executor's life, replays included."""

    def __init__(
        self,
        ranks: int,
        losses: Mapping[int, list[int]],
        full: bool = False,
        worker: WorkerFactory = dummy,
    ) -> None:
        super().__init__(ranks, worker)
        self._losses = losses
        self._full = full
        self._lost: set[int] = set()
        self.calls = 0
        self.moved: list[int] = []

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        self._lost |= set(self._losses.get(self.calls, []))
        self.calls += 1
        lost = self._lost & set(requests)
        alive = {rank: request for rank, request in requests.items() if rank not in lost}
        answers = dict(super().call(alive))
        if lost:
            raise WorkerLost(dict.fromkeys(lost, "the test says so"), answers)
        return answers

    def replace(self, rank: int) -> None:
        if self._full:
            raise PlacementError("the test says so")
        super().replace(rank)
        self._lost.discard(rank)

    def move(self, rank: int) -> None:
        super().replace(rank)
        self._lost.discard(rank)
        self.moved.append(rank)
