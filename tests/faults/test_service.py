"""A service under faults: accepted jobs end with the right proof, or with an error that says why."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faults.conftest import ROWS, Keys, Measured
from tests.faults.jobs import BODY, WORKERS, metrics, require_proofs, submit, timed, workers_of
from tests.faults.running import chance, send

pytest.importorskip("fastapi", reason="needs pip install 'deepprove-dist[service]'")
from benchmarks.serving import serving
from deepprove_dist.service.client import Client, JobFailed, ServiceError

pytestmark = [pytest.mark.slow, pytest.mark.faults]


def test_a_worker_is_killed(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    """The retryable part: the job does not notice."""
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        require_proofs(server.client, submit(server.client, 1), expected)
        victim = chance("service").choice(workers_of(server))
        with timed(measured, "a worker of a service is killed", "20 jobs, same bytes"):
            # Before they are all made: a proof takes less than a submission.
            first = submit(server.client, 1)
            send(victim, signal.SIGKILL)
            require_proofs(server.client, first | submit(server.client, 20), expected)
        assert len(workers_of(server)) == 2
        assert 'deepprove_worker_losses_total{action="replaced",reason="process"} 1.0' in metrics(server)


def test_all_workers_are_killed_while_nothing_is_proven(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        require_proofs(server.client, submit(server.client, 1), expected)
        for worker in workers_of(server):
            send(worker, signal.SIGKILL)
        with timed(measured, "all workers of a service are killed", "same bytes"):
            require_proofs(server.client, submit(server.client, 2), expected)


def test_a_worker_is_frozen(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        require_proofs(server.client, submit(server.client, 1), expected)
        send(chance("frozen").choice(workers_of(server)), signal.SIGSTOP)
        with timed(measured, "a worker of a service is frozen", "same bytes"):
            require_proofs(server.client, submit(server.client, 2), expected)
        assert 'reason="silent"} 1.0' in metrics(server)


def test_the_service_is_away_for_a_while(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    """Clients that wait go on as soon as it is back, at the same address."""
    ended: list[str] = []
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        port = server.client.url.rpartition(":")[2]
        jobs = submit(server.client, 30)
        client = server.client

        def wait() -> None:
            require_proofs(client, jobs, expected)
            ended.append("all")

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(chance("outage").uniform(0.1, 1.0))
        server.kill()
    with timed(measured, "the service is killed and comes back", "30 jobs, same bytes"):
        time.sleep(2)
        with serving(tmp_path / "state", folder, *WORKERS, "--port", port):
            waiting.join(120)
    assert ended == ["all"]


def test_jobs_are_cancelled(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        client, jobs = server.client, submit(server.client, 20)
        with timed(measured, "jobs are cancelled", "cancelled or done"):
            unwanted = chance("cancel").sample(sorted(jobs), 8)
            for context in unwanted:
                client.cancel(jobs[context])
            states = set()
            for context in unwanted:
                try:
                    states.add(client.wait(jobs[context], 60)["state"])
                except JobFailed as failed:
                    states.add(failed.job["state"])
            assert "cancelled" in states
            assert states <= {"cancelled", "done"}
            require_proofs(client, {c: job for c, job in jobs.items() if c not in unwanted}, expected)


def test_a_job_that_can_never_be_proven_fails_and_others_go_on(
    folder: str, tmp_path: Path, keys: Keys, expected: Callable[[str], bytes], measured: Measured
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in keys.folder.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    with serving(tmp_path / "state", folder, broken) as server:
        (broken / "model.integer").write_bytes(b"no model")
        with timed(measured, "a job that can never be proven", "fails; others go on"):
            failing = server.client.submit("broken", BODY)["id"]
            jobs = submit(server.client, 3)
            with pytest.raises(JobFailed, match="failed"):
                server.client.wait(failing, 60)
            require_proofs(server.client, jobs, expected)


def test_the_artifact_store_is_down(
    folder: str, many: Path, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    """Submissions whose inputs are files are refused meanwhile; what was accepted is proven afterwards."""
    state = tmp_path / "state"
    inputs = {"input_data": BODY["input_data"][:1] * ROWS}
    with serving(state, folder, many) as server:
        jobs = submit(server.client, 10)
        (state / "artifacts").rename(state / "away")
        (state / "artifacts").write_bytes(b"no folder")
        impatient = Client(server.client.url, server.client.token, retry_seconds=0.0)
        scenario = "a submission while the artifact store is down"
        with timed(measured, scenario, "refused"), pytest.raises(ServiceError) as refused:
            impatient.submit("many", inputs, index=f"0:{ROWS}")
        assert (refused.value.status, refused.value.code) == (503, "artifacts")
        with timed(measured, "the artifact store is back", "10 jobs, same bytes"):
            (state / "artifacts").unlink()
            (state / "away").rename(state / "artifacts")
            require_proofs(server.client, jobs, expected)


def test_a_drain_loses_nothing(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        jobs = submit(server.client, 40)
        with timed(measured, "SIGTERM to the service", "status 0"):
            assert server.terminate() == 0
    with serving(tmp_path / "state", folder, *WORKERS) as server:
        require_proofs(server.client, jobs, expected)


def test_mixed_load(
    folder: str, tmp_path: Path, keys: Keys, expected: Callable[[str], bytes], measured: Measured
) -> None:
    """Several clients, two keys, priorities and samples of another shape, while workers die."""
    draw, problems = chance("mixed"), list[Any]()
    with serving(tmp_path / "state", folder, f"other={keys.folder}", *WORKERS) as server:

        def client(number: int) -> None:
            try:
                for turn in range(8):
                    context = f"{number} {turn}"
                    key = ("iris", "other")[(number + turn) % 2]
                    job = server.client.submit(key, BODY, context=context, priority=turn % 3, wait=5)
                    require_proofs(server.client, {context: job["id"]}, expected)
                    with pytest.raises(ServiceError):
                        server.client.submit(key, {"input_data": np.zeros((1, 99)).tolist()})
            except BaseException as error:
                problems.append(error)

        with timed(measured, "mixed load while workers die", "32 jobs, same bytes"):
            clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
            for thread in clients:
                thread.start()
            while any(thread.is_alive() for thread in clients):
                time.sleep(draw.uniform(1, 3))
                if present := workers_of(server):
                    send(draw.choice(present), signal.SIGKILL)
                if server.process.poll() is not None:
                    break
            for thread in clients:
                thread.join(120)
    assert problems == []
