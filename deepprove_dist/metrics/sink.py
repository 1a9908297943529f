"""Where metrics go: nowhere, to several places, or into a batch that is sent elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deepprove_dist.metrics.catalog import Metric, MetricKind

LabelValues = tuple[str, ...]
"""Values of a metric's labels, in their order."""


class MetricSink(Protocol):
    """Takes values; threads may share it."""

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """Adds to a counter, sets a gauge, or puts a value into a histogram. It must not take long."""


class NoMetrics:
    """Nobody watches."""

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """See MetricSink."""


NO_METRICS = NoMetrics()


@dataclass(frozen=True)
class SeveralSinks:
    """Each value goes to all of these."""

    sinks: tuple[MetricSink, ...]

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """See MetricSink."""
        for sink in self.sinks:
            sink.record(metric, value, labels)


@dataclass
class MetricBatch:
    """Values that are sent together: counters are summed, gauges have their last value. For one thread."""

    values: dict[tuple[Metric, LabelValues], list[float]] = field(default_factory=dict)

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """See MetricSink."""
        present = self.values.setdefault((metric, labels), [])
        if metric.kind is MetricKind.COUNTER and present:
            present[0] += value
        elif metric.kind is MetricKind.GAUGE:
            present[:] = [value]
        else:
            present.append(value)

    def replay(self, sink: MetricSink) -> None:
        """Records all values in a sink."""
        for (metric, labels), values in self.values.items():
            for value in values:
                sink.record(metric, value, labels)


def named(metric: Metric, labels: LabelValues) -> Mapping[str, str]:
    """Labels by name. Raises ValueError for another number of them."""
    return dict(zip(metric.labels, labels, strict=True))
