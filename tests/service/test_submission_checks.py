"""Submissions: which ones are refused, and by which code."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

import deepprove_dist as dp
from deepprove_dist.service import job_service
from deepprove_dist.service.clients import ServiceClient
from deepprove_dist.service.events import JobEventKind
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.problem import ServiceProblem
from deepprove_dist.service.submission_checks import SubmissionLimits, SubmissionOptions
from tests.hiding_keys import X
from tests.service.conftest import INPUTS, Parts
from tests.service.interface import BOB, BODY, require_problem, submit


def test_a_submission_that_is_sent_twice_is_one_job(http: TestClient, parts: Parts) -> None:
    headers = {"Idempotency-Key": "order 1"}
    answers = [http.post("/v1/keys/plain/jobs", json=BODY, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    other = http.post("/v1/keys/plain/jobs", json=BODY, headers=headers, params={"context": "other"})
    require_problem(other, 409, "idempotency_key", "'order 1' was used")
    assert parts.store.counts()["queued"] == 1
    assert [event.kind for event in parts.events] == [JobEventKind.ACCEPTED, JobEventKind.REFUSED]


IMPOSSIBLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"index": "1"}, "input"),
    ({"index": "x"}, "input"),
    ({"priority": 10}, "priority"),
    ({"priority": -1}, "priority"),
    ({"deadline": 0}, "deadline"),
    ({"deadline": "inf"}, "deadline"),
    ({"deadline": "nan"}, "deadline"),
    ({"deadline": 1e-6}, "time"),
)


def test_what_cannot_be_is_refused(http: TestClient, parts: Parts) -> None:
    for options, code in IMPOSSIBLE:
        require_problem(http.post("/v1/keys/plain/jobs", json=BODY, params=options), 422, code)
    assert parts.store.counts()["queued"] == 0


def test_a_context_has_the_length_that_a_proof_holds(jobs: JobService) -> None:
    options = SubmissionOptions(range(1), bytes(1 << 17))
    with pytest.raises(ServiceProblem, match="a context has at most"):
        jobs.submit(ServiceClient("alice", b""), "plain", INPUTS, "application/msgpack", options)


def test_values_outside_the_range_are_refused_unless_they_are_clamped(http: TestClient) -> None:
    body = {"input_data": (1e6 * X).reshape(1, -1).tolist()}
    require_problem(http.post("/v1/keys/plain/jobs", json=body), 422, "input", "outside the calibrated range")
    assert http.post("/v1/keys/plain/jobs", json=body, params={"clamp": True}).status_code == 202


def test_a_client_may_not_ask_for_more_than_its_priority(http: TestClient) -> None:
    answer = http.post("/v1/keys/plain/jobs", json=BODY, params={"priority": 4}, headers=BOB)
    require_problem(answer, 403, "priority", "up to 3")


def test_a_proof_that_cannot_fit_is_refused_with_the_figure(http: TestClient, jobs: JobService) -> None:
    jobs.limits = replace(jobs.limits, memory_bytes=1)
    require_problem(http.post("/v1/keys/plain/jobs", json=BODY), 422, "memory", "takes about")
    jobs.limits = SubmissionLimits(job_seconds=1e-9)
    require_problem(http.post("/v1/keys/plain/jobs", json=BODY), 422, "time", "takes about")


def test_keys_whose_proofs_are_for_jobs_that_wait_refuse(http: TestClient, parts: Parts) -> None:
    for _ in range(parts.served["hiding"].remaining or 0):
        submit(http, "hiding")
    require_problem(http.post("/v1/keys/hiding/jobs", json=BODY), 409, "budget", "for jobs that wait")


def test_keys_without_proofs_refuse_unless_they_are_rekeyed(
    http: TestClient, jobs: JobService, parts: Parts
) -> None:
    folder = parts.served["hiding"].folder
    key = dp.ProvingKey.load(folder, threads=1)
    for _ in range(key.remaining or 0):
        key.prove(X)
    require_problem(http.post("/v1/keys/hiding/jobs", json=BODY), 409, "budget", "rekey")
    jobs.limits = replace(jobs.limits, rekeys=True)
    submit(http, "hiding")
    (folder / "proofs.counter").write_bytes(b"")
    require_problem(http.post("/v1/keys/hiding/jobs", json=BODY), 409, "budget")
    (hiding, _) = sorted(http.get("/v1/keys").json(), key=lambda key: key["name"])
    assert hiding["problem"]


def test_a_full_queue_says_when_to_come_again(http: TestClient, jobs: JobService) -> None:
    jobs.limits = SubmissionLimits(queued_of_client=1)
    headers = {"Idempotency-Key": "first"}
    assert http.post("/v1/keys/plain/jobs", json=BODY, headers=headers).status_code == 202
    answer = http.post("/v1/keys/plain/jobs", json=BODY)
    require_problem(answer, 429, "queue", "of yours")
    assert int(answer.headers["retry-after"]) > 0
    # What was accepted is not refused when it is sent again.
    assert http.post("/v1/keys/plain/jobs", json=BODY, headers=headers).status_code == 200
    assert http.post("/v1/keys/plain/jobs", json=BODY, headers=BOB).status_code == 202


def test_a_service_that_ends_takes_no_jobs(http: TestClient, jobs: JobService) -> None:
    job = submit(http)["id"]
    jobs.draining = True
    require_problem(http.post("/v1/keys/plain/jobs", json=BODY), 503, "draining")
    require_problem(http.get("/readyz"), 503, "draining")
    # It does not keep those waiting that wait for a job.
    assert http.get(f"/v1/jobs/{job}", params={"wait": 50}).json()["state"] == "queued"


def test_a_submission_that_the_disk_does_not_take_is_sent_again(
    http: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job may run meanwhile, and keeps its inputs."""
    monkeypatch.setattr(job_service, "INLINE_BYTES", 0)

    def send() -> httpx2.Response:
        return http.post("/v1/keys/plain/jobs", json=BODY, headers={"Idempotency-Key": "once"})

    def fail(file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        patch.setattr(parts.artifacts, "write", lambda *_: "inputs")
        # Twice: the job is there by then, and no more on disk than before.
        for _ in range(2):
            require_problem(send(), 503, "artifacts", "Input/output error")
    monkeypatch.setattr(parts.artifacts, "remove_file", lambda *_: pytest.fail("the inputs are the job's"))
    assert send().status_code == 200


def test_inputs_of_a_refused_submission_are_not_kept(
    http: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_service, "INLINE_BYTES", 0)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(parts.artifacts, "write", fail)
        require_problem(http.post("/v1/keys/plain/jobs", json=BODY), 503, "artifacts", "No space left")
    write, engine = parts.artifacts.write, parts.store._engine

    def write_and_lose_the_store(*arguments: Any) -> str:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE jobs")
        return write(*arguments)

    monkeypatch.setattr(parts.artifacts, "write", write_and_lose_the_store)
    require_problem(http.post("/v1/keys/plain/jobs", json=BODY), 503, "store")
    assert list((parts.folder / "artifacts").iterdir()) == []
