"""A service that is interrupted in the middle of a long proof."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import LongJobs, Measured
from tests.faults.jobs import WORKERS, require_proofs, submit, timed, workers_of

pytest.importorskip("fastapi", reason="needs pip install 'deepprove-dist[service]'")
from benchmarks.serving import Service, serving
from deepprove_dist.service.client import Client, JobFailed

pytestmark = [pytest.mark.slow, pytest.mark.faults]


def begin(client: Client, jobs: LongJobs) -> str:
    """A job whose proof has begun."""
    job = str(client.submit("long", jobs.body, media="application/x-npz", index=jobs.index)["id"])
    await_job(client, job, lambda fields: fields["state"] == "running" and fields["phase"])
    return job


def await_job(client: Client, job: str, condition: Callable[[dict[str, Any]], object]) -> None:
    end = time.monotonic() + 60
    while not condition(client.job(job)):
        assert time.monotonic() < end
        time.sleep(0.01)


def require_proof(client: Client, job: str, jobs: LongJobs) -> None:
    client.wait(job, 120)
    assert client.proof(job) == jobs.proof


def warm(server: Service, jobs: LongJobs) -> None:
    """Its keys are loaded, and workers have their parts."""
    require_proof(server.client, begin(server.client, jobs), jobs)


def test_the_proof_in_progress_is_cancelled(long: LongJobs, tmp_path: Path, measured: Measured) -> None:
    """It ends before its next phase, and stays cancelled; its workers prove the next one."""
    with serving(tmp_path / "state", f"long={long.folder}", *WORKERS) as server:
        warm(server, long)
        workers, client = workers_of(server), server.client
        job = begin(client, long)
        with timed(measured, "the proof in progress is cancelled", "cancelled"):
            client.cancel(job)
            with pytest.raises(JobFailed, match="cancelled"):
                client.wait(job, 60)
        require_proof(client, begin(client, long), long)
        assert client.job(job)["state"] == "cancelled"
        assert workers_of(server) == workers


def test_the_service_is_killed_in_mid_proof(long: LongJobs, tmp_path: Path, measured: Measured) -> None:
    """The same job ends with the same bytes, at its second attempt."""
    with serving(tmp_path / "state", f"long={long.folder}", *WORKERS) as server:
        job = begin(server.client, long)
        server.kill()
    with (
        timed(measured, "the service is killed in mid-proof", "same bytes"),
        serving(tmp_path / "state", f"long={long.folder}", *WORKERS) as server,
    ):
        require_proof(server.client, job, long)
        assert server.client.job(job)["attempts"] == 2


def test_it_ends_with_a_proof_in_progress(long: LongJobs, tmp_path: Path, measured: Measured) -> None:
    """The proof goes back uncounted. No process is left, and the port is free for the next one."""
    state, served = tmp_path / "state", f"long={long.folder}"
    with serving(state, served, *WORKERS, "--drain-timeout", 0.1) as server:
        job = begin(server.client, long)
        workers, port = workers_of(server), int(server.client.url.rpartition(":")[2])
        with timed(measured, "SIGTERM in mid-proof", "status 0"):
            assert server.terminate() == 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
    with serving(state, served, *WORKERS, "--port", port) as server:
        require_proof(server.client, job, long)
        assert server.client.job(job)["attempts"] == 1


def test_short_proofs_do_not_wait_for_all_long_ones(
    long: LongJobs, folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    """One client has long proofs in the queue, and another one comes with short ones."""
    tokens = tmp_path / "tokens"
    tokens.write_text("first aaaaaaaaaaaaaaaaaaaaaaaa\nsecond bbbbbbbbbbbbbbbbbbbbbbbb\n")
    tokens.chmod(0o600)
    options = ("--token-file", tokens)
    with serving(tmp_path / "state", f"long={long.folder}", folder, *WORKERS, *options) as server:
        first = Client(server.client.url, "a" * 24)
        second = Client(server.client.url, "b" * 24)
        jobs = [begin(first, long)]
        for _ in range(3):
            more = first.submit("long", long.body, media="application/x-npz", index=long.index)
            jobs.append(more["id"])
        with timed(measured, "short proofs among long ones", "4 jobs, same bytes"):
            require_proofs(second, submit(second, 4), expected)
        assert first.job(jobs[-1])["state"] == "queued"
        for job in jobs:
            require_proof(first, job, long)
