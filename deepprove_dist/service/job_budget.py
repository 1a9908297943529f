"""The number of a hiding proof, kept with its job.

Numbers come from the counter in the key's folder: one for all processes that prove with it. A job that is
begun again has the number of its first attempt, on disk before anything was made of it. Its proof has the
same bytes then, so that it tells no more than one proof does. Only one of them is ever handed out.
"""

from __future__ import annotations

from deepprove_dist.proving import ReservesProofs
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.service.job import Job
from deepprove_dist.service.store import JobStore


class JobBudget:
    """A key's budget, for one job; see `deepprove_dist.proving.ReservesProofs`."""

    def __init__(self, store: JobStore, job: Job, budget: ReservesProofs, epoch: int) -> None:
        """`epoch` is the budget's: a number of an older one is worth nothing."""
        self._store, self._job, self._budget, self._epoch = store, job, budget, epoch

    def reserve(self) -> Reservation:
        """The job's number, or a new one. Raises BudgetError, OSError, LeaseLost."""
        known = self._job.reservation
        if known is not None and known.epoch == self._epoch:
            return known
        reservation = self._budget.reserve()
        self._store.leases.reserve(self._job, reservation)
        return reservation

    @property
    def remaining(self) -> int | None:
        """How many proofs are left; None without a limit."""
        return self._budget.remaining
