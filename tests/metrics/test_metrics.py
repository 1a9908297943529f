"""Metrics: what sinks do with values, and the text for Prometheus."""

from __future__ import annotations

import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deepprove_dist.metrics.catalog import (
    HEARTBEAT_AGE,
    JOB_EVENTS,
    METRICS,
    PROOF_SECONDS,
    PROOFS_LEFT,
    REPLAYED_CALLS,
    WORKER_LOSSES,
)
from deepprove_dist.metrics.prometheus import PrometheusMetrics
from deepprove_dist.metrics.sink import MetricBatch, SeveralSinks


def samples(metrics: PrometheusMetrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Values by name of the series and by values of labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_add_gauges_are_set_and_histograms_count() -> None:
    metrics = PrometheusMetrics()
    for value in (1.0, 2.0):
        metrics.record(JOB_EVENTS, value, ("done",))
        metrics.record(PROOFS_LEFT, value, ("digits",))
        metrics.record(PROOF_SECONDS, value)
    read = samples(metrics)
    assert read["deepprove_job_events_total", ("done",)] == 3.0
    assert read["deepprove_proofs_left", ("digits",)] == 2.0
    assert read["deepprove_proof_seconds_sum", ()] == 3.0
    assert read["deepprove_proof_seconds_bucket", ("1.0",)] == 1.0
    assert read["deepprove_replayed_calls_total", ()] == 0.0


def test_every_series_has_the_name_that_the_catalogue_says() -> None:
    metrics = PrometheusMetrics()
    for metric in METRICS:
        metrics.record(metric, 1.0, metric.labels)
    names = {name for name, _ in samples(metrics) if not name.endswith("_created")}
    assert names == {series for metric in METRICS for series in metric.series}


def test_labels_are_as_many_as_the_metric_has() -> None:
    with pytest.raises(ValueError, match="shorter"):
        PrometheusMetrics().record(WORKER_LOSSES, 1.0, ("silent",))


def test_a_batch_gives_what_its_values_would() -> None:
    direct, later, batch = PrometheusMetrics(), PrometheusMetrics(), MetricBatch()
    sinks = SeveralSinks((direct, batch))
    for value in (1.0, 4.0, 2.0):
        sinks.record(REPLAYED_CALLS, value)
        sinks.record(HEARTBEAT_AGE, value)
        sinks.record(PROOF_SECONDS, value)
        sinks.record(WORKER_LOSSES, value, ("silent", "replaced"))
    assert [len(values) for values in batch.values.values()] == [1, 1, 3, 1]
    batch.replay(later)
    created = {key for key in samples(direct) if key[0].endswith("_created")}
    assert {key: value for key, value in samples(direct).items() if key not in created} == {
        key: value for key, value in samples(later).items() if key not in created
    }


def test_threads_may_share_it() -> None:
    metrics = PrometheusMetrics()

    def count() -> None:
        for _ in range(1000):
            metrics.record(REPLAYED_CALLS)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples(metrics)["deepprove_replayed_calls_total", ()] == 4000.0
