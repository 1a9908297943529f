"""Jobs of a service under faults, and the workers that make their proofs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.serving import Service
from deepprove_dist.service.client import Client
from tests.faults.conftest import Measured
from tests.faults.prover import MODEL

BODY = json.loads((MODEL / "input.json").read_text())
WORKERS = ("--workers", 2, "--share-small")


def workers_of(server: Service) -> list[int]:
    """Its worker processes: children of any of its threads."""
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


@contextmanager
def timed(measured: Measured, scenario: str, outcome: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    measured(scenario, "service", time.monotonic() - begin, outcome)


def submit(client: Client, count: int, key: str = "iris") -> dict[str, str]:
    """Jobs by their contexts."""
    return {str(n): client.submit(key, BODY, context=str(n))["id"] for n in range(count)}


def require_proofs(client: Client, jobs: dict[str, str], expected: Callable[[str], bytes]) -> None:
    for context, job in jobs.items():
        client.wait(job, 120)
        assert client.proof(job) == expected(context)


def metrics(server: Service) -> str:
    headers = {"Authorization": f"Bearer {server.client.token}"}
    with urlopen(Request(f"{server.client.url}/metrics", headers=headers)) as answer:
        text: str = answer.read().decode()
    return text
