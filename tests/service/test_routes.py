"""Jobs over HTTP: from their submission to their proofs, and what is asked of them meanwhile."""

from __future__ import annotations

from base64 import b64decode

import pytest
from starlette.testclient import TestClient

import deepprove_dist as dp
from deepprove_dist.service import job_service
from deepprove_dist.service import runner as runner_module
from deepprove_dist.service.runner import Runner
from deepprove_dist.service.store import INLINE_BYTES
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import INPUTS, Parts
from tests.service.interface import BODY, prove, require_problem, submit


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
