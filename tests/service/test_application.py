"""The HTTP interface as a whole: who is let in, health, and what it tells of itself."""

from __future__ import annotations

import json
import threading

import pytest
from starlette.testclient import TestClient

from deepprove_dist.service import artifacts, job_service
from deepprove_dist.service import runner as runner_module
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.runner import Runner
from deepprove_dist.service.submission_checks import SubmissionLimits
from tests.service.conftest import Parts
from tests.service.interface import ALICE, BOB, BODY, prove, require_problem, submit


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


def test_other_keys_are_not_there(http: TestClient) -> None:
    require_problem(http.post("/v1/keys/none/jobs", json=BODY), 404, "no_such_key", "['hiding', 'plain']")
    require_problem(http.get("/v1/keys/none/verifying.key"), 404, "no_such_key")


def test_large_bodies_are_refused_before_they_are_read(http: TestClient, jobs: JobService) -> None:
    jobs.limits = SubmissionLimits(body_bytes=100)
    content = json.dumps(BODY).encode() + b" " * 100
    headers = {"Content-Type": "application/json"}
    require_problem(http.post("/v1/keys/plain/jobs", content=content, headers=headers), 413, "body")
    # Also where no length is stated.
    parts = iter([content[:90], content[90:]])
    require_problem(http.post("/v1/keys/plain/jobs", content=parts, headers=headers), 413, "body")


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
