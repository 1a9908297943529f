"""What is done about a lost worker: a pure decision from what was lost, how often, and when.

A lost worker is replaced by a new one (RETRY). Where the cluster has no room for it, its rank goes to a
living process (RESHARD). So do ranks that are lost soon after: the cluster has just said that it is full. To
ask again would cost the whole timeout each time. Work that is lost again and again is given up (RAISE). A
call that kills whoever runs it must not kill all workers, and no proof may take forever.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


class Decision(Enum):
    """What to do with a lost rank."""

    RETRY = auto()
    RESHARD = auto()
    RAISE = auto()


@dataclass(frozen=True)
class Budget:
    """Losses that are borne within `window` seconds: of one rank, and of all ranks together.

    For `full` seconds after a worker could not be placed, no other is asked for.
    """

    per_rank: int = 3
    in_all: int = 32
    window: float = 600.0
    full: float = 60.0


@dataclass(frozen=True)
class BudgetLeft:
    """Losses that are still borne: of one rank, and of all ranks together, within `window` seconds."""

    of_rank: int
    in_all: int
    window: float

    def __str__(self) -> str:
        return f"{self.of_rank} more of this rank and {self.in_all} in all within {self.window:g} s"


class FailurePolicy:
    """Decisions under a budget; `clock` returns seconds and never goes back."""

    def __init__(self, budget: Budget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget or Budget()
        self._clock = clock
        self._losses: deque[tuple[float, int]] = deque()
        self._full_until = -float("inf")

    def lost(self, rank: int) -> Decision:
        """What to do now that a rank was lost."""
        now = self._clock()
        self._losses.append((now, rank))
        while self._losses[0][0] < now - self._budget.window:
            self._losses.popleft()
        budget = self.budget_left(rank)
        if budget.of_rank < 0 or budget.in_all < 0:
            return Decision.RAISE
        return Decision.RESHARD if now < self._full_until else Decision.RETRY

    def unplaced(self) -> Decision:
        """What to do now that there was no place for a new worker."""
        self._full_until = self._clock() + self._budget.full
        return Decision.RESHARD

    def budget_left(self, rank: int) -> BudgetLeft:
        """What is left of the budget since the last loss; below 0 where it is used up."""
        of_rank = sum(other == rank for _, other in self._losses)
        budget = self._budget
        return BudgetLeft(budget.per_rank - of_rank, budget.in_all - len(self._losses), budget.window)
