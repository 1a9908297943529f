"""Metrics of a service: events of jobs, the queue, and the text that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from deepprove_dist.metrics.prometheus import PrometheusMetrics
from deepprove_dist.service.application import create_application
from deepprove_dist.service.clients import Clients
from deepprove_dist.service.events import JobEvent, JobEventKind
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.metrics import counting
from tests.hiding_keys import X
from tests.metrics.test_metrics import samples
from tests.service.conftest import Parts

TOKEN = "a" * 20
BODY = {"input_data": X.reshape(1, -1).tolist()}


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics()


@pytest.fixture
def http(parts: Parts, metrics: PrometheusMetrics, tmp_path: Path) -> Iterator[TestClient]:
    file = tmp_path / "tokens"
    file.write_text(f"alice {TOKEN}\n")
    file.chmod(0o600)
    jobs = JobService(
        parts.served, parts.store, parts.artifacts, observe=counting(metrics, parts.events.append)
    )
    with TestClient(create_application(jobs, Clients.load(file), metrics)) as client:
        yield client


def test_prometheus_scrapes_with_a_token(http: TestClient, parts: Parts, metrics: PrometheusMetrics) -> None:
    assert http.get("/metrics").status_code == 401
    http.headers["Authorization"] = f"Bearer {TOKEN}"
    for key, status in (("plain", 202), ("none", 404)):
        assert http.post(f"/v1/keys/{key}/jobs", json=BODY).status_code == status
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text.splitlines()
    assert "deepprove_queued_jobs 1.0" in text
    assert "deepprove_running_jobs 0.0" in text
    assert 'deepprove_job_events_total{kind="accepted"} 1.0' in text
    assert 'deepprove_job_events_total{kind="refused"} 1.0' in text
    assert [event.kind for event in parts.events] == [JobEventKind.ACCEPTED, JobEventKind.REFUSED]


def test_events_of_a_job(metrics: PrometheusMetrics) -> None:
    seen = list[JobEvent]()
    observe = counting(metrics, seen.append)
    started = JobEvent(JobEventKind.STARTED, "1", "alice", "digits", waited=2.0)
    done = JobEvent(
        JobEventKind.DONE, "1", "alice", "digits", seconds=4.0, phases={"opening": 3.0}, remaining=7
    )
    failed = JobEvent(
        JobEventKind.FAILED, "2", "alice", "digits", reason="input: no", phases={"opening": 1.0}
    )
    for event in (started, done, failed):
        observe(event)
    assert seen == [started, done, failed]
    read = samples(metrics)
    assert read["deepprove_queue_seconds_sum", ()] == 2.0
    assert read["deepprove_proofs_total", ("digits",)] == 1.0
    assert read["deepprove_proof_seconds_sum", ()] == 4.0
    assert read["deepprove_phase_seconds_total", ("opening",)] == 4.0
    assert read["deepprove_proofs_left", ("digits",)] == 7.0
    assert {key[1]: value for key, value in read.items() if key[0] == "deepprove_job_events_total"} == {
        ("started",): 1.0,
        ("done",): 1.0,
        ("failed",): 1.0,
    }
