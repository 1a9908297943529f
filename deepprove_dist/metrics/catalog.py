"""All metrics: names, kinds, labels and meanings.

Prometheus adds `_total` to counters, and Ray puts `ray_` in front.

Labels have few values: kinds of events and reasons, phases, and the names of served keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MetricKind(str, Enum):
    """Counters only grow, gauges are set, histograms count values in buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """Attributes:
    name: as it is registered.
    meaning: in a few words, with the unit.
    labels: names of its labels.
    bounds: upper ends of a histogram's buckets.
    """

    name: str
    kind: MetricKind
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that Prometheus has it under."""
        if self.kind is MetricKind.COUNTER:
            return (f"{self.name}_total",)
        if self.kind is MetricKind.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (self.name,)


_SECONDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
_COUNTER, _GAUGE, _HISTOGRAM = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM

JOB_EVENTS = Metric("deepprove_job_events", _COUNTER, "Events of jobs, by kind", ("kind",))
PROOFS = Metric("deepprove_proofs", _COUNTER, "Proofs that a service has made", ("key",))
PROOF_SECONDS = Metric(
    "deepprove_proof_seconds", _HISTOGRAM, "Seconds from a job's start to its proof", (), _SECONDS
)
QUEUE_SECONDS = Metric(
    "deepprove_queue_seconds", _HISTOGRAM, "Seconds from a job's submission to its start", (), _SECONDS
)
PHASE_SECONDS = Metric("deepprove_phase_seconds", _COUNTER, "Seconds of jobs, by phase", ("phase",))
QUEUED_JOBS = Metric("deepprove_queued_jobs", _GAUGE, "Jobs that wait")
RUNNING_JOBS = Metric("deepprove_running_jobs", _GAUGE, "Jobs that are being proven")
PROOFS_LEFT = Metric("deepprove_proofs_left", _GAUGE, "Proofs that a hiding key has left", ("key",))

ATTEMPTS = Metric("deepprove_attempts", _COUNTER, "Proofs begun by workers, those made again included")
WORKER_PHASE_SECONDS = Metric(
    "deepprove_worker_phase_seconds", _COUNTER, "Seconds of proofs by workers, by phase", ("phase",)
)
TRANSFERRED_BYTES = Metric(
    "deepprove_transferred_bytes", _COUNTER, "Bytes to workers, from them, and among them", ("direction",)
)
WORKER_LOSSES = Metric(
    "deepprove_worker_losses", _COUNTER, "Lost workers, by reason and by what was done", ("reason", "action")
)
REPLAYED_CALLS = Metric("deepprove_replayed_calls", _COUNTER, "Calls that were made again for lost workers")
REPLAYED_SECONDS = Metric(
    "deepprove_replayed_seconds", _COUNTER, "Seconds from losses until workers had their states again"
)
FAULTY_WORKERS = Metric("deepprove_faulty_workers", _COUNTER, "Workers that answered wrongly, or failed")
FALLBACKS = Metric("deepprove_fallbacks", _COUNTER, "Times that something went on in a slower way")
HEARTBEAT_AGE = Metric(
    "deepprove_heartbeat_age_seconds", _GAUGE, "Longest time since a sign of life of a worker that computes"
)

METRICS = (
    *(
        JOB_EVENTS,
        PROOFS,
        PROOF_SECONDS,
        QUEUE_SECONDS,
        PHASE_SECONDS,
        QUEUED_JOBS,
        RUNNING_JOBS,
        PROOFS_LEFT,
    ),
    *(ATTEMPTS, WORKER_PHASE_SECONDS, TRANSFERRED_BYTES, WORKER_LOSSES, REPLAYED_CALLS, REPLAYED_SECONDS),
    *(FAULTY_WORKERS, FALLBACKS, HEARTBEAT_AGE),
)
