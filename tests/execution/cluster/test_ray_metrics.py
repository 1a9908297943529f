"""Metrics go to Ray in batches, and wait where its driver hangs."""

from __future__ import annotations

from deepprove_dist.execution.cluster.ray_metrics import SentMetrics
from deepprove_dist.metrics.catalog import REPLAYED_CALLS
from deepprove_dist.metrics.sink import MetricBatch


def test_values_travel_once_a_second() -> None:
    now, batches = [0.0], list[MetricBatch]()

    def send(batch: MetricBatch) -> bool:
        batches.append(batch)
        return True

    metrics = SentMetrics(send, lambda: now[0])
    for second in (0.0, 0.5, 0.9, 1.0):
        now[0] = second
        metrics.record(REPLAYED_CALLS)
    assert [sum(batch.values[REPLAYED_CALLS, ()]) for batch in batches] == [1.0, 3.0]
    metrics.flush()
    assert len(batches) == 2


def test_what_is_not_taken_comes_with_the_next_batch() -> None:
    takes, sums = False, list[float]()

    def send(batch: MetricBatch) -> bool:
        sums.append(sum(batch.values[REPLAYED_CALLS, ()]))
        return takes

    metrics = SentMetrics(send, iter(range(100)).__next__)
    for takes in (False, False, True, True):  # noqa: B007 - `send` answers it
        metrics.record(REPLAYED_CALLS)
    assert sums == [1.0, 2.0, 3.0, 1.0]
