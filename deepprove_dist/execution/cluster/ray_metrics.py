"""Metrics on a Ray cluster: the coordinator sends them to the process that is connected to Ray.

Ray exports what that process has at the metrics port of its node, as `ray_` and the metric's name.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deepprove_dist.metrics.catalog import Metric, MetricKind
from deepprove_dist.metrics.sink import LabelValues, MetricBatch, named

_BATCH_SECONDS = 1.0


class SentMetrics:
    """Sends batches of values; `send` takes one, or says that it cannot now: then it comes with the next."""

    def __init__(
        self, send: Callable[[MetricBatch], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send, self._clock = send, clock
        self._batch, self._last = MetricBatch(), -float("inf")

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """See MetricSink."""
        self._batch.record(metric, value, labels)
        if self._clock() >= self._last + _BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Sends what there is."""
        self._last = self._clock()
        if self._batch.values and self._send(self._batch):
            self._batch = MetricBatch()


class RayMetrics:
    """Metrics of a process that is connected to Ray."""

    def __init__(self) -> None:
        self._known: dict[Metric, Any] = {}

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """See MetricSink."""
        tags = dict(named(metric, labels))
        if metric not in self._known:
            self._known[metric] = _create(metric)
        known = self._known[metric]
        if metric.kind is MetricKind.COUNTER:
            if value > 0:  # Ray refuses to add nothing
                known.inc(value, tags=tags)
        elif metric.kind is MetricKind.GAUGE:
            known.set(value, tags=tags)
        else:
            known.observe(value, tags=tags)


def _create(metric: Metric) -> Any:
    from ray.util.metrics import Counter, Gauge, Histogram

    if metric.kind is MetricKind.HISTOGRAM:
        return Histogram(metric.name, metric.meaning, list(metric.bounds), metric.labels)
    kind = Counter if metric.kind is MetricKind.COUNTER else Gauge
    return kind(metric.name, metric.meaning, metric.labels)
