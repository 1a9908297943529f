"""The HTTP interface as tests use it: clients, a body, and what is asked and required most often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
from starlette.testclient import TestClient

from deepprove_dist.service.runner import Runner
from tests.hiding_keys import X

if TYPE_CHECKING:
    from tests.service.conftest import Parts

ALICE, BOB = {"Authorization": f"Bearer {'a' * 20}"}, {"Authorization": f"bearer {'b' * 20}"}
BODY = {"input_data": X.reshape(1, -1).tolist()}


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
