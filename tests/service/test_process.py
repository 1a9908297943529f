"""The whole service in its process: jobs survive its death, and SIGTERM finishes the proof in progress."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import deepprove_dist as dp
from benchmarks.serving import Service, serving
from deepprove_dist.errors import ChoiceError, ExecutionError
from deepprove_dist.service.client import Client, JobFailed, ServiceError
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import INPUTS, save_hiding_keys

BODY = {"input_data": X.reshape(1, -1).tolist()}
JOBS = 12


@dataclass(frozen=True)
class Restarted:
    """A service that was killed with jobs in its queue, and started again."""

    server: Service
    folder: Path
    jobs: tuple[str, ...]
    hiding: str


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarted]:
    folder = tmp_path_factory.mktemp("service")
    transparent_keys().save(folder / "plain")
    save_hiding_keys(folder / "hiding")
    arguments = (folder / "state", folder / "plain", f"secret={folder / 'hiding'}")
    with serving(*arguments) as server:
        ids = [server.client.submit("plain", BODY, context=str(number))["id"] for number in range(JOBS)]
        hiding = server.client.submit("secret", BODY, idempotency_key="one")["id"]
        server.kill()
    with serving(*arguments) as server:
        yield Restarted(server, folder, tuple(ids), hiding)


def test_accepted_jobs_survive_kill_9_and_have_the_same_bytes(restarted: Restarted) -> None:
    client = restarted.server.client
    again = client.submit("secret", BODY, idempotency_key="one")
    assert again["id"] == restarted.hiding
    for number, job in enumerate(restarted.jobs):
        client.wait(job, 60)
        assert client.proof(job) == transparent_keys().prove(X, context=str(number).encode()).content
    client.wait(restarted.hiding, 60)
    key = dp.VerifyingKey.load(restarted.folder / "hiding" / "verifying.key")
    key.verify(client.proof(restarted.hiding))
    assert client.status()["jobs"]["done"] == JOBS + 1


def test_the_client_says_all_that_the_service_takes(restarted: Restarted) -> None:
    client = restarted.server.client
    job = client.submit("plain", INPUTS, media="application/msgpack", wait=60)
    assert job["state"] == "done"
    assert client.proof(job["id"]) == client.prove("plain", BODY) == transparent_keys().prove(X).content
    assert client.verify(job["id"])["valid"]
    assert client.verifying_key("plain") == (restarted.folder / "plain" / "verifying.key").read_bytes()
    assert [key["name"] for key in client.list_keys()] == ["plain", "secret"]
    assert len(client.jobs(state="done", limit=5)["jobs"]) == 5
    assert client.cancel(job["id"])["state"] == "done"
    with pytest.raises(ServiceError, match="no key") as refused:
        client.submit("none", BODY)
    assert (refused.value.status, refused.value.code) == (404, "no_such_key")
    with pytest.raises(ServiceError, match="no commitment"):
        client.opening(job["id"], "x")
    with pytest.raises(ServiceError, match="token"):
        Client(client.url, "wrong").status()


def test_it_ends_in_order(restarted: Restarted) -> None:
    """The last test of this module: there is no service afterwards."""
    assert restarted.server.terminate() == 0


def test_a_job_without_a_proof_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("http://127.0.0.1:1", "t")
    job = {"id": "1", "state": "failed", "problem": "why"}
    monkeypatch.setattr(Client, "job", lambda self, job_id, wait, *, proof: job)
    with pytest.raises(JobFailed, match="job 1 failed: why"):
        client.wait("1")
    job["state"] = "running"
    with pytest.raises(ExecutionError, match="running after 0 s"):
        client.wait("1", 0)


def test_a_service_that_is_not_there_is_tried_again_for_a_while() -> None:
    begin = time.monotonic()
    with pytest.raises(ExecutionError, match="no service answers at"):
        Client("http://127.0.0.1:1", "secret", retry_seconds=0.6).status()
    assert 0.5 < time.monotonic() - begin < 20
    assert "secret" not in repr(Client("http://127.0.0.1:1", "secret"))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "file:///etc", "http://"])
def test_an_address_is_one_of_http(address: str) -> None:
    with pytest.raises(ChoiceError, match="no address of a service"):
        Client(address, "t")


@pytest.mark.parametrize(
    "banner", [None, b"SSH-2.0-x\r\n", b"HTTP/1.0 404 Not Found\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n[]"]
)
def test_a_port_of_somebody_else_is_said_soon(banner: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that takes connections, and never answers."""
    monkeypatch.setattr("deepprove_dist.service.client._CONTACT_SECONDS", 0.3)

    def answer() -> None:
        with suppress(OSError):
            while banner is not None:
                caller, _ = listener.accept()
                with caller:
                    caller.recv(4096)
                    caller.sendall(banner)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        begin, port = time.monotonic(), listener.getsockname()[1]
        with pytest.raises(ExecutionError, match=f"at http://127.0.0.1:{port}"):
            Client(f"http://127.0.0.1:{port}", "t").require_service()
        assert time.monotonic() - begin < 10
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
