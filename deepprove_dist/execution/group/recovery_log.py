"""What went wrong in a group of workers, and what was done: a line in the log, and a record, for each.

Lines are warnings as things happen. Records are for reports: losses with what their replay took, workers that
failed or answered wrongly, and fallbacks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from deepprove_dist.execution.group.failure_policy import BudgetLeft
from deepprove_dist.execution.group.faulty_worker import FaultyWorker
from deepprove_dist.execution.group.loss_kinds import loss_kind
from deepprove_dist.metrics.catalog import (
    FALLBACKS,
    FAULTY_WORKERS,
    REPLAYED_CALLS,
    REPLAYED_SECONDS,
    WORKER_LOSSES,
)
from deepprove_dist.metrics.sink import NO_METRICS, MetricSink

logger = logging.getLogger(__name__)

Action = Literal["replaced", "moved", "given up"]


@dataclass
class Loss:
    """A lost worker, and what was done.

    Attributes:
        worker, node: which rank, and the node that it ran on.
        reason: why it counts as lost, and in which call.
        action: a new process took the rank, or a living one, or nobody.
        new_node: where the rank is since then.
        noticed: seconds since 1970, when it was, or one that was lost with it.
        start_seconds: from then until the rank had a process again.
        replayed_calls: calls that were made again for it.
        seconds: from then until the rank had its state again.
        losses_left: losses that were still borne after it, of this rank.
        losses_left_in_all: the same of all ranks together.
    """

    worker: int
    node: str
    reason: str
    action: Action = "given up"
    new_node: str | None = None
    noticed: float = 0.0
    start_seconds: float = 0.0
    replayed_calls: int = 0
    seconds: float = 0.0
    losses_left: int = 0
    losses_left_in_all: int = 0


@dataclass
class RecoveryLog:
    """Records of one group, in the order of events.

    `clock` returns seconds, `wall` those since 1970, `metrics` counts.
    """

    losses: list[Loss] = field(default_factory=list)
    faulty: list[FaultyWorker] = field(default_factory=list)
    fallbacks: list[str] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    metrics: MetricSink = NO_METRICS
    _begin: float = 0.0
    _noticed: float = 0.0

    def lose(self, rank: int, node: str, reason: str, left: BudgetLeft) -> Loss:
        """Records a loss; the caller says what is done."""
        loss = Loss(rank, node, reason, losses_left=left.of_rank, losses_left_in_all=left.in_all)
        loss.noticed = self._noticed
        self.losses.append(loss)
        return loss

    def recovered(self, loss: Loss, action: Action, node: str, left: BudgetLeft) -> None:
        """A lost rank has a process again."""
        loss.action, loss.new_node = action, node
        loss.start_seconds = self.clock() - self._begin
        self.metrics.record(WORKER_LOSSES, 1.0, (loss_kind(loss.reason), action))
        done = {
            "replaced": "is replaced by a new one",
            "moved": "moves to a living process",
            "given up": "is given up",
        }
        logger.warning(
            "worker %d on %s %s on %s: %s; losses still borne: %s",
            *(loss.worker, loss.node, done[action], node, loss.reason, left),
            extra={**asdict(loss), "event": "worker lost"},
        )

    @contextmanager
    def replay(self) -> Iterator[dict[int, Loss]]:
        """Inside, losses that are put into the yielded mapping, by rank, are made good.

        The log says what that took when all of them are.
        """
        losses = dict[int, Loss]()
        self._begin, self._noticed = self.clock(), self.wall()
        yield losses
        for loss in losses.values():
            loss.seconds = self.clock() - self._begin
            self.metrics.record(REPLAYED_CALLS, loss.replayed_calls)
            self.metrics.record(REPLAYED_SECONDS, loss.seconds)
            logger.info(
                "worker %d has its state again: %d calls made again, %.1f s in all, %.1f s of them to start",
                *(loss.worker, loss.replayed_calls, loss.seconds, loss.start_seconds),
                extra={**asdict(loss), "event": "worker recovered"},
            )

    def give_up(self, loss: Loss) -> None:
        """Nobody takes the rank: the work ends."""
        self.metrics.record(WORKER_LOSSES, 1.0, (loss_kind(loss.reason), loss.action))

    def add_faulty(self, workers: Sequence[FaultyWorker]) -> None:
        """Records workers whose answers were not the right ones."""
        self.faulty += workers
        self.metrics.record(FAULTY_WORKERS, len(workers))

    def fall_back(self, text: str) -> None:
        """Records that something goes on in a slower way."""
        self.fallbacks.append(text)
        self.metrics.record(FALLBACKS)
        logger.warning("%s", text, extra={"event": "fallback"})

    def forget(self) -> None:
        """Forgets all records: the next report is of what comes after. Counts of metrics stay."""
        self.losses.clear()
        self.faulty.clear()
        self.fallbacks.clear()

    def report(self) -> dict[str, Any]:
        """All records and their numbers, for JSON."""
        return {
            "counts": {
                "losses": len(self.losses),
                "replacements": sum(loss.action == "replaced" for loss in self.losses),
                "moves": sum(loss.action == "moved" for loss in self.losses),
                "replayed_calls": sum(loss.replayed_calls for loss in self.losses),
                "faulty_workers": len(self.faulty),
                "fallbacks": len(self.fallbacks),
            },
            "losses": [asdict(loss) for loss in self.losses],
            "faulty_workers": [asdict(worker) for worker in self.faulty],
            "fallbacks": list(self.fallbacks),
        }
