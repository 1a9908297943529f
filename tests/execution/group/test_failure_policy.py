"""Decisions about lost workers, under a clock that the test holds."""

from __future__ import annotations

from deepprove_dist.execution.group.failure_policy import Budget, Decision, FailurePolicy


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make(**budget: float) -> tuple[FailurePolicy, Clock]:
    clock = Clock()
    return FailurePolicy(Budget(**budget), clock), clock  # type: ignore[arg-type]


def test_a_lost_worker_is_started_again_until_its_rank_has_spent_its_budget() -> None:
    policy, _ = make(per_rank=2)
    assert [policy.lost(0) for _ in range(3)] == [Decision.RETRY, Decision.RETRY, Decision.RAISE]
    assert policy.lost(1) is Decision.RETRY


def test_all_ranks_share_a_budget_too() -> None:
    policy, _ = make(per_rank=9, in_all=3)
    assert [policy.lost(rank) for rank in range(4)] == [Decision.RETRY] * 3 + [Decision.RAISE]


def test_losses_long_ago_do_not_count() -> None:
    policy, clock = make(per_rank=1, window=100.0)
    assert policy.lost(0) is Decision.RETRY
    clock.now = 101.0
    assert policy.lost(0) is Decision.RETRY
    assert policy.lost(0) is Decision.RAISE


def test_a_full_cluster_is_not_asked_again_for_a_while() -> None:
    policy, clock = make(full=60.0)
    assert policy.lost(0) is Decision.RETRY
    assert policy.unplaced() is Decision.RESHARD
    clock.now = 59.0
    assert policy.lost(1) is Decision.RESHARD
    clock.now = 61.0
    assert policy.lost(2) is Decision.RETRY
