"""What a group of workers counts: attempts, bytes, phases, losses, replays and faulty workers."""

from __future__ import annotations

import pytest

from deepprove_dist.execution.group.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.metrics.catalog import (
    ATTEMPTS,
    FALLBACKS,
    FAULTY_WORKERS,
    REPLAYED_CALLS,
    REPLAYED_SECONDS,
    TRANSFERRED_BYTES,
    WORKER_LOSSES,
    WORKER_PHASE_SECONDS,
    Metric,
)
from deepprove_dist.metrics.sink import MetricBatch
from tests.execution.dummy import Dummy, dummy, faulty_dummy, in_turn, trusted
from tests.execution.unreliable import Unreliable


def total(batch: MetricBatch, metric: Metric, *labels: str) -> float:
    return sum(batch.values.get((metric, labels), [0.0]))


def test_a_loss_and_its_replay() -> None:
    batch = MetricBatch()
    group = WorkerGroup(Unreliable(2, {2: [1]}), log=RecoveryLog(metrics=batch))
    with group.proof(), group.phase("witness"):
        for _ in range(3):
            group.call_all(Dummy.add, number=1)
    assert total(batch, ATTEMPTS) == 1
    assert total(batch, WORKER_LOSSES, "other", "replaced") == 1
    assert total(batch, REPLAYED_CALLS) == 2
    assert total(batch, REPLAYED_SECONDS) == group.recovery.losses[0].seconds
    assert total(batch, WORKER_PHASE_SECONDS, "witness") > 0
    assert total(batch, TRANSFERRED_BYTES, "to workers") > 0
    assert total(batch, TRANSFERRED_BYTES, "from workers") > 0


def test_a_rank_that_is_given_up() -> None:
    batch = MetricBatch()
    policy = FailurePolicy(Budget(per_rank=1))
    group = WorkerGroup(Unreliable(1, {call: [0] for call in range(9)}), policy, RecoveryLog(metrics=batch))
    with pytest.raises(Exception, match="lost too often"):
        group.call_all(Dummy.add, number=1)
    assert total(batch, WORKER_LOSSES, "other", "replaced") == 1
    assert total(batch, WORKER_LOSSES, "other", "given up") == 1


def test_a_full_cluster_and_a_faulty_worker() -> None:
    batch = MetricBatch()
    group = WorkerGroup(Unreliable(2, {0: [1]}, full=True), log=RecoveryLog(metrics=batch))
    group.call_all(Dummy.add, number=1)
    assert total(batch, FALLBACKS) == 1
    assert total(batch, WORKER_LOSSES, "other", "moved") == 1
    executor = InProcessExecutor(2, in_turn(dummy, faulty_dummy))
    group = WorkerGroup(executor, log=RecoveryLog(metrics=batch))
    with group.proof():
        group.call_all(Dummy.add, number=1)
        group.call_all(Dummy.add, number=1)
        group.audit(trusted)
    assert total(batch, FAULTY_WORKERS) == 1
    assert total(batch, WORKER_LOSSES, "wrong", "replaced") == 1
