"""The HTTP interface: what it takes, what it refuses and by which code, and what it tells whom."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

import deepprove_dist as dp
from deepprove_dist.service import artifacts, job_service
from deepprove_dist.service import runner as runner_module
from deepprove_dist.service.application import create_application
from deepprove_dist.service.clients import Clients, ServiceClient
from deepprove_dist.service.events import JobEventKind
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.problem import ServiceProblem
from deepprove_dist.service.runner import Runner
from deepprove_dist.service.store import INLINE_BYTES
from deepprove_dist.service.submission_checks import SubmissionLimits, SubmissionOptions
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import INPUTS, Parts

ALICE, BOB = {"Authorization": f"Bearer {'a' * 20}"}, {"Authorization": f"bearer {'b' * 20}"}
BODY = {"input_data": X.reshape(1, -1).tolist()}


@pytest.fixture
def jobs(parts: Parts) -> JobService:
    return JobService(parts.served, parts.store, parts.artifacts, observe=parts.events.append)


@pytest.fixture
def http(jobs: JobService, tmp_path: Path) -> Iterator[TestClient]:
    file = tmp_path / "tokens"
    file.write_text(f"alice {'a' * 20}\nbob {'b' * 20} 3\n")
    file.chmod(0o600)
    with TestClient(create_application(jobs, Clients.load(file)), headers=ALICE) as client:
        yield client


@pytest.fixture
def runner(parts: Parts) -> Runner:
    return parts.runner()


def submit(http: TestClient, key: str = "plain", **options: Any) -> dict[str, Any]:
    answer = http.post(f"/v1/keys/{key}/jobs", json=BODY, params=options)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def prove(runner: Runner, parts: Parts) -> None:
    job = parts.store.leases.claim(runner.id, keys=tuple(parts.served))
    assert job is not None
    runner._take(job)


def require_problem(answer: httpx2.Response, status: int, code: str, detail: str = "") -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    fields = answer.json()
    assert (answer.status_code, fields["status"], fields["code"]) == (status, status, code), answer.text
    assert detail in fields["detail"]


def test_a_job_from_its_submission_to_its_proof(http: TestClient, runner: Runner, parts: Parts) -> None:
    job = submit(http, context="nonce", priority=2)
    assert (job["state"], job["context"], job["priority"]) == ("queued", "nonce", 2)
    require_problem(http.get(f"/v1/jobs/{job['id']}/proof"), 409, "not_done", "queued")
    prove(runner, parts)
    done = http.get(f"/v1/jobs/{job['id']}").json()
    expected = transparent_keys().prove(X, context=b"nonce")
    assert done["state"] == "done"
    assert done["result"]["output"] == {name: value.tolist() for name, value in expected.output.items()}
    answer = http.get(f"/v1/jobs/{job['id']}/proof")
    assert answer.content == expected.content
    assert done["proof"] is None
    assert b64decode(http.get(f"/v1/jobs/{job['id']}?proof=true").json()["proof"]) == expected.content
    assert f"{job['id']}.proof" in answer.headers["content-disposition"]
    assert http.post(f"/v1/jobs/{job['id']}/verify").json()["valid"]
    key = http.get("/v1/keys/plain/verifying.key").content
    assert key == (parts.served["plain"].folder / "verifying.key").read_bytes()


def test_a_proof_that_was_changed_is_not_valid(
    http: TestClient, runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "INLINE_BYTES", 0)
    job = submit(http)
    prove(runner, parts)
    where = parts.store.get(job["id"]).proof
    assert where is not None
    content = bytearray(parts.artifacts.read(where))
    content[-1] ^= 1
    (parts.folder / "artifacts" / where).write_bytes(content)
    fields = http.post(f"/v1/jobs/{job['id']}/verify").json()
    assert not fields["valid"]
    assert fields["problem"]


def test_a_proof_of_a_later_epoch_verifies(http: TestClient, runner: Runner, parts: Parts) -> None:
    dp.ProvingKey.rekey_folder(parts.served["hiding"].folder, threads=1)
    job = submit(http, "hiding", carry=False)
    prove(runner, parts)
    assert http.post(f"/v1/jobs/{job['id']}/verify").json()["valid"]


def test_other_bodies(http: TestClient, runner: Runner, parts: Parts) -> None:
    headers = {"Content-Type": "application/msgpack; charset=x"}
    job = http.post("/v1/keys/plain/jobs", content=INPUTS, headers=headers).json()
    prove(runner, parts)
    assert http.get(f"/v1/jobs/{job['id']}/proof").content == transparent_keys().prove(X).content


def test_without_a_token_there_is_nothing(http: TestClient) -> None:
    for path in ("keys", "jobs", "jobs/x", "jobs/x/proof", "status", "keys/plain/verifying.key"):
        for token in ("", "Bearer ", "Bearer wrong", f"Basic {'a' * 20}", f"Bearer {'a' * 21}"):
            answer = http.get(f"/v1/{path}", headers={"Authorization": token})
            require_problem(answer, 401, "token")
            assert answer.headers["www-authenticate"] == "Bearer"


def test_without_a_token_nothing_is_submitted(http: TestClient, parts: Parts) -> None:
    for path in ("/v1/keys/plain/jobs", "/v1/jobs/x/cancel", "/v1/jobs/x/verify"):
        require_problem(http.post(path, json=BODY, headers={"Authorization": "Bearer no"}), 401, "token")
    assert parts.store.counts()["queued"] == 0


def test_the_jobs_of_others_are_not_there(http: TestClient, runner: Runner, parts: Parts) -> None:
    job = submit(http)["id"]
    prove(runner, parts)
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/proof", f"/v1/jobs/{job}/openings/x"):
        require_problem(http.get(path, headers=BOB), 404, "no_such_job")
    for path in (f"/v1/jobs/{job}/cancel", f"/v1/jobs/{job}/verify"):
        require_problem(http.post(path, headers=BOB), 404, "no_such_job")
    assert http.get("/v1/jobs", headers=BOB).json() == {"jobs": [], "before": None}
    status = http.get("/v1/status", headers=BOB).json()
    assert (status["jobs"]["done"], status["mine"]["done"]) == (1, 0)


def test_a_runners_job_is_named_to_its_client_only(http: TestClient, parts: Parts) -> None:
    job = submit(http)["id"]
    parts.store.runners.report("r", 1.0, {**parts.runner()._status(), "job": job})
    named = [http.get("/v1/status", headers=who).json()["runners"][0]["job"] for who in (ALICE, BOB)]
    assert named == [job, None]


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


def test_other_keys_are_not_there(http: TestClient) -> None:
    require_problem(http.post("/v1/keys/none/jobs", json=BODY), 404, "no_such_key", "['hiding', 'plain']")
    require_problem(http.get("/v1/keys/none/verifying.key"), 404, "no_such_key")


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


def test_large_bodies_are_refused_before_they_are_read(http: TestClient, jobs: JobService) -> None:
    jobs.limits = SubmissionLimits(body_bytes=100)
    content = json.dumps(BODY).encode() + b" " * 100
    headers = {"Content-Type": "application/json"}
    require_problem(http.post("/v1/keys/plain/jobs", content=content, headers=headers), 413, "body")
    # Also where no length is stated.
    parts = iter([content[:90], content[90:]])
    require_problem(http.post("/v1/keys/plain/jobs", content=parts, headers=headers), 413, "body")


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


def test_waiting_ends_with_the_job_or_the_time(http: TestClient, runner: Runner, parts: Parts) -> None:
    first = submit(http, wait=0.02, proof=True)
    assert (first["state"], first["proof"]) == ("queued", None)
    runner.start()
    try:
        done = submit(http, wait=30, proof=True)
        assert done["state"] == "done"
        assert b64decode(done["proof"]) == transparent_keys().prove(X).content
    finally:
        runner.drain(20)


def test_the_proofs_file_is_the_answer_to_who_accepts_it(
    http: TestClient, runner: Runner, parts: Parts
) -> None:
    expected = transparent_keys().prove(X).content
    accept = {"Accept": "application/octet-stream", "Idempotency-Key": "once"}
    first = http.post("/v1/keys/plain/jobs", json=BODY, headers=accept)
    assert (first.status_code, first.json()["state"]) == (202, "queued"), "there is no file yet"
    prove(runner, parts)
    again = http.post("/v1/keys/plain/jobs", json=BODY, headers=accept)
    job = http.get(first.headers["location"], headers=accept)
    for answer in (again, job):
        assert (answer.status_code, answer.content) == (200, expected)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["location"] == first.headers["location"]
    assert http.get(first.headers["location"]).json()["proof"] is None


def test_a_failure_is_told_to_who_accepts_files(http: TestClient) -> None:
    accept = {"Accept": "application/octet-stream"}
    location = http.post("/v1/keys/plain/jobs", json=BODY, headers=accept).headers["location"]
    http.post(f"{location}/cancel")
    assert http.get(location, headers=accept).json()["state"] == "cancelled"


def test_cancelling(http: TestClient) -> None:
    job = submit(http)["id"]
    assert http.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
    require_problem(http.get(f"/v1/jobs/{job}/proof"), 409, "not_done", "cancelled")


def test_lists_come_in_pages(http: TestClient) -> None:
    ids = [submit(http)["id"] for _ in range(3)]
    first = http.get("/v1/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in first["jobs"]] == [ids[2], ids[1]]
    second = http.get("/v1/jobs", params={"limit": 2, "before": first["before"]}).json()
    assert [job["id"] for job in second["jobs"]] == [ids[0]]
    assert second["before"] is None
    assert http.get("/v1/jobs", params={"state": "done"}).json()["jobs"] == []


def test_proofs_that_are_gone(
    http: TestClient, runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "INLINE_BYTES", 0)
    job = submit(http)["id"]
    prove(runner, parts)
    parts.artifacts.remove(job)
    require_problem(http.get(f"/v1/jobs/{job}/proof"), 410, "gone")
    require_problem(http.get(f"/v1/jobs/{job}?proof=true"), 410, "gone")
    monkeypatch.setattr(runner_module, "INLINE_BYTES", INLINE_BYTES)
    job = submit(http)["id"]
    prove(runner, parts)
    monkeypatch.setattr(parts.store, "proof", lambda _: None)
    require_problem(http.get(f"/v1/jobs/{job}/proof"), 410, "gone")


def test_openings_are_those_of_the_proof(http: TestClient, runner: Runner, parts: Parts) -> None:
    job = submit(http)["id"]
    prove(runner, parts)
    require_problem(http.get(f"/v1/jobs/{job}/openings/x"), 404, "no_such_opening")


def test_health_and_readiness(http: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = {"Authorization": ""}
    assert http.get("/healthz", headers=nobody).json() == {"status": "ok"}
    require_problem(http.get("/readyz", headers=nobody), 503, "no_runner")
    parts.store.runners.report("r", 1.0, {"draining": False})
    assert http.get("/readyz", headers=nobody).json() == {"status": "ready"}
    parts.store.runners.report("r", 1.0, {"draining": True})
    require_problem(http.get("/readyz", headers=nobody), 503, "no_runner")


def test_a_store_that_fails_tells_nothing_of_itself(http: TestClient, jobs: JobService, parts: Parts) -> None:
    with parts.store._engine.begin() as connection:
        for table in ("jobs", "runners"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    for path in ("/readyz", "/v1/jobs", "/v1/status"):
        answer = http.get(path)
        require_problem(answer, 503, "store")
        assert "sqlite" not in answer.text


def test_the_interface_is_described(http: TestClient) -> None:
    document = http.get("/openapi.json", headers={"Authorization": ""}).json()
    paths = document["paths"]
    assert {"/v1/keys/{key}/jobs", "/v1/jobs/{job}", "/v1/jobs/{job}/proof", "/readyz"} <= set(paths)
    body = paths["/v1/keys/{key}/jobs"]["post"]["requestBody"]["content"]
    assert {"application/json", "application/x-npz", "application/x-npy", "application/msgpack"} <= set(body)
    operations = [operation for path in paths.values() for operation in path.values()]
    assert all(operation.get("description") for operation in operations)


def test_answers_are_kept_by_nobody(http: TestClient) -> None:
    assert http.get("/v1/jobs").headers["cache-control"] == "no-store"


def test_long_inputs_and_proofs_are_files(
    http: TestClient, runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (job_service, runner_module):
        monkeypatch.setattr(module, "INLINE_BYTES", 0)
    job = submit(http)["id"]
    assert [path.name for path in (parts.folder / "artifacts").iterdir()] == [f"{job}-0-inputs"]
    prove(runner, parts)
    assert [path.name for path in (parts.folder / "artifacts").iterdir()] == [f"{job}-1-proof"]
    assert http.get(f"/v1/jobs/{job}/proof").content == transparent_keys().prove(X).content


def test_a_store_that_hangs_is_no_reason_to_wait_for_long(
    http: TestClient, runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients may submit again soon. The bounds are those of the service, which the test shortens."""
    for module in (job_service, runner_module):
        monkeypatch.setattr(module, "INLINE_BYTES", 0)
    done = parts.submit()
    prove(runner, parts)
    monkeypatch.setattr(job_service, "_STORE_SECONDS", 0.05)
    monkeypatch.setattr(job_service, "_READ_SECONDS", 0.05)
    go_on, files = threading.Event(), parts.artifacts._files
    for name in ("cat_file", "exists"):
        monkeypatch.setattr(files, name, lambda *_: go_on.wait(60))
    monkeypatch.setattr(artifacts, "write_atomically", lambda *_, mode: go_on.wait(60))
    try:
        for answer in (http.post("/v1/keys/plain/jobs", json=BODY), http.get(f"/v1/jobs/{done}/proof")):
            require_problem(answer, 503, "artifacts", "no answer within 0.05")
            assert answer.headers["retry-after"] == "5"
    finally:
        go_on.set()
    assert parts.store.counts()["queued"] == 0


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
