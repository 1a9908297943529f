"""Ray Serve starts the service by its own configuration, as KubeRay has it do with rayservice.yaml."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deepprove_dist.service.client import Client, ServiceError
from deepprove_dist.service.clients import read_token
from deepprove_dist.service.settings import ServiceSettings
from tests.cluster.ray_config import TOP, load
from tests.faults.running import RayCluster, environment, ray_cluster
from tests.hiding_keys import X, transparent_keys

MANIFEST = TOP / "cluster" / "kubernetes" / "rayservice.yaml"
ARGUMENTS = {"cpus_per_worker": 1, "threads": 1, "share_small": True}
"""A machine of the tests is smaller than the manifest's."""


@pytest.fixture
def head(tmp_path: Path) -> Iterator[RayCluster]:
    """A cluster of one node, in which Serve's processes live."""
    pytest.importorskip("ray.serve", reason="needs pip install 'deepprove-dist[serve]'")
    with ray_cluster([{"num_cpus": 4}], tmp_path / "ray") as cluster:
        yield cluster


def configuration(folder: Path, port: int) -> dict[str, Any]:
    """The manifest's, with folders of this machine."""
    content: dict[str, Any] = load(load(MANIFEST.read_text())["spec"]["serveConfigV2"])
    content["http_options"] |= {"host": "127.0.0.1", "port": port}
    (application,) = content["applications"]
    application["args"] |= {
        **ARGUMENTS,
        "keys": [f"plain={folder / 'plain'}"],
        "state": str(folder / "state"),
    }
    return content


@contextmanager
def serve_run(config: Path, address: str, log: Path) -> Iterator[None]:
    """Ray Serve's command, until the end of the block."""
    command = [sys.executable, "-m", "ray.serve.scripts", "run", str(config), "--address", address]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment())
    try:
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.slow
def test_serve_builds_the_application_and_it_proves(head: RayCluster, tmp_path: Path) -> None:
    transparent_keys().save(tmp_path / "plain")
    settings = ServiceSettings((), tmp_path / "state")
    settings.prepare()
    port = free_port()
    config = tmp_path / "serve.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(configuration(tmp_path, port)))
    client = Client(f"http://127.0.0.1:{port}", read_token(settings.token_file), retry_seconds=120.0)
    with serve_run(config, head.address, tmp_path / "serve.log"):
        try:
            await_service(client)
            job = client.submit("plain", {"input_data": X.reshape(1, -1).tolist()}, context="by Serve")
            done = client.wait(job["id"], 120)
            proof = client.proof(job["id"])
        except BaseException:
            print((tmp_path / "serve.log").read_text()[-8000:])
            raise
    assert proof == transparent_keys().prove(X, context=b"by Serve").content
    assert len(done["result"]["workers"]) == 2


def await_service(client: Client) -> None:
    """Serve's proxy answers before the application is there."""
    end = time.monotonic() + 120
    while True:
        try:
            if client.status()["runners"]:
                return
        except ServiceError:
            pass
        assert time.monotonic() < end
        time.sleep(0.2)
