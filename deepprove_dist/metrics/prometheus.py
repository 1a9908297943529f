"""Metrics as the text that Prometheus scrapes. Needs the package prometheus-client."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from deepprove_dist.metrics.catalog import METRICS, Metric, MetricKind
from deepprove_dist.metrics.sink import LabelValues, named

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class PrometheusMetrics:
    """A registry of all metrics, at zero at first. Threads may share it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            m: Counter(m.name, m.meaning, m.labels, registry=self._registry) for m in _of("counter")
        }
        self._gauges = {m: Gauge(m.name, m.meaning, m.labels, registry=self._registry) for m in _of("gauge")}
        self._histograms = {
            m: Histogram(m.name, m.meaning, m.labels, registry=self._registry, buckets=m.bounds)
            for m in _of("histogram")
        }

    def record(self, metric: Metric, value: float = 1.0, labels: LabelValues = ()) -> None:
        """See MetricSink."""
        by_name = named(metric, labels)
        if metric.kind is MetricKind.COUNTER:
            counter = self._counters[metric]
            (counter.labels(**by_name) if by_name else counter).inc(value)
        elif metric.kind is MetricKind.GAUGE:
            gauge = self._gauges[metric]
            (gauge.labels(**by_name) if by_name else gauge).set(value)
        else:
            histogram = self._histograms[metric]
            (histogram.labels(**by_name) if by_name else histogram).observe(value)

    def text(self) -> bytes:
        """All metrics, as the body of an answer to Prometheus."""
        return generate_latest(self._registry)


def _of(kind: str) -> list[Metric]:
    return [metric for metric in METRICS if metric.kind.value == kind]
