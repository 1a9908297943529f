"""Metrics of a service: what events of jobs say, and the text that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.metrics.catalog import (
    JOB_EVENTS,
    PHASE_SECONDS,
    PROOF_SECONDS,
    PROOFS,
    PROOFS_LEFT,
    QUEUE_SECONDS,
    QUEUED_JOBS,
    RUNNING_JOBS,
)
from deepprove_dist.metrics.sink import MetricSink
from deepprove_dist.service.events import JobEvent, JobEventKind, Observer
from deepprove_dist.service.job import JobState


def counting(metrics: MetricSink, observe: Observer) -> Observer:
    """An observer that counts events, and hands them on."""

    def count(event: JobEvent) -> None:
        count_event(metrics, event)
        observe(event)

    return count


def count_event(metrics: MetricSink, event: JobEvent) -> None:
    """Counts one event of a job."""
    metrics.record(JOB_EVENTS, 1.0, (event.kind.value,))
    if event.kind is JobEventKind.STARTED:
        metrics.record(QUEUE_SECONDS, event.waited)
    for phase, seconds in event.phases.items():
        metrics.record(PHASE_SECONDS, seconds, (phase,))
    if event.kind is JobEventKind.DONE:
        metrics.record(PROOFS, 1.0, (event.key,))
        metrics.record(PROOF_SECONDS, event.seconds)
    if event.remaining is not None:
        metrics.record(PROOFS_LEFT, event.remaining, (event.key,))


def count_jobs(metrics: MetricSink, counts: Mapping[str, int]) -> None:
    """Sets how many jobs wait and run, given the number in each state."""
    metrics.record(QUEUED_JOBS, counts[JobState.QUEUED.value])
    metrics.record(RUNNING_JOBS, counts[JobState.RUNNING.value])
