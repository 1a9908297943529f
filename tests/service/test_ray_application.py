"""The service on a Ray cluster: warm proofs by a detached group, and what survives which death."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.service.client import Client
from deepprove_dist.service.clients import read_token
from deepprove_dist.service.deployment import Deployment, Removal, deploy, remove
from deepprove_dist.service.local_server import Listening
from deepprove_dist.service.ray_scaling import runners_for_queue
from deepprove_dist.service.settings import ServiceParts, ServiceSettings
from tests.execution.conftest import cluster  # noqa: F401 - a fixture
from tests.hiding_keys import X, transparent_keys

BODY = {"input_data": X.reshape(1, -1).tolist()}
PREEMPTION = 2
"""The reason of a notice that a spot instance is reclaimed, in Ray's protocol."""


@dataclass(frozen=True)
class Served:
    """A service on a cluster, and a client of it."""

    settings: ServiceSettings
    client: Client
    address: str

    def prove(self, context: str, key: str = "plain") -> bytes:
        """A proof that the service makes."""
        client = self.client
        return client.proof(client.wait(client.submit(key, BODY, context=context)["id"], 120)["id"])

    def prove_while(self, act: Callable[[], None], context: str) -> set[bytes]:
        """The proofs of ten jobs that are there when something happens, and of ten that come after."""
        ids = [self.client.submit("plain", BODY, context=context)["id"] for _ in range(10)]
        act()
        ids += [self.client.submit("plain", BODY, context=context)["id"] for _ in range(10)]
        return {self.client.proof(self.client.wait(job, 120)["id"]) for job in ids}

    def runner(self) -> dict[str, Any]:
        """What the only runner says of itself."""
        (runner,) = self.client.status()["runners"]
        return dict(runner)


@pytest.fixture
def served(cluster: Any, folders: dict[str, Path], tmp_path: Path) -> Iterator[Served]:  # noqa: F811
    workers = ClusterOptions(ScalingConfig(2), cluster.address)
    settings = ServiceSettings(
        (*map(str, folders.values()),), tmp_path / "state", cluster=workers, share_small=True
    )
    settings.prepare()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = deploy(Deployment(settings, Listening(port=port), cluster.address))
    yield Served(settings, Client(url, read_token(settings.token_file)), cluster.address)
    remove(Removal(cluster.address))


@pytest.mark.slow
def test_a_service_on_a_cluster(served: Served) -> None:
    expected = [transparent_keys().prove(X, context=str(n).encode()).content for n in range(4)]
    assert served.prove("0") == expected[0]
    eventually(lambda: len(served.runner()["workers"]) == 2)
    assert served.prove("1") == expected[1]
    served.prove("hiding", "hiding")

    # A prover dies among jobs: Serve starts another one, which finishes them.
    first = served.runner()["id"]
    assert served.prove_while(lambda: os.kill(replica(b"prover"), signal.SIGKILL), "2") == {expected[2]}
    eventually(lambda: [runner["id"] for runner in served.client.status()["runners"]] not in ([], [first]))

    # What answers HTTP dies: jobs are made meanwhile, and clients wait for the next one.
    assert served.prove_while(lambda: os.kill(replica(b"gateway"), signal.SIGKILL), "1") == {expected[1]}
    eventually(lambda: len(served.client.status()["runners"]) == 1)

    # The prover's node gets a notice: the prover drains, and there is another one elsewhere.
    second = served.runner()["id"]
    notify_prover_node(served.address)
    eventually(lambda: [runner["id"] for runner in served.client.status()["runners"]] not in ([], [second]))
    assert served.prove("3") == expected[3]

    # What is left when the service ends goes on with the next one.
    job = served.client.submit("plain", BODY, context="0")["id"]
    remove(Removal(served.address))
    store = ServiceParts.open(served.settings).store
    assert store.runners.alive() == []
    assert store.counts()["running"] == 0
    assert store.get(job).attempts <= 1


@pytest.mark.parametrize(("asked", "threads"), [(None, 1), (3, 3)])
def test_a_prover_has_the_threads_that_it_reserves(asked: int | None, threads: int, tmp_path: Path) -> None:
    pytest.importorskip("ray.serve", reason="needs pip install 'deepprove-dist[serve]'")
    from deepprove_dist.service.ray_application import create_serve_application

    application = create_serve_application(ServiceSettings((), tmp_path, threads=asked), "10.0.0.1", (1, 1))
    prover = application._bound_deployment.init_args[1]._bound_deployment
    assert prover.ray_actor_options["num_cpus"] == threads
    assert prover.init_args[0].threads == threads


def test_where_there_is_no_cluster_the_reason_is_said(tmp_path: Path) -> None:
    settings = ServiceSettings((), tmp_path)
    with pytest.raises(ExecutionError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        deploy(Deployment(settings, Listening(), "127.0.0.1:1"))


def test_runners_follow_the_queue() -> None:
    def wanted(*queued: float) -> int:
        metrics = {"queued": {f"replica {n}": value for n, value in enumerate(queued)}}
        context = SimpleNamespace(
            aggregated_metrics=metrics if queued else {},
            capacity_adjusted_min_replicas=1,
            capacity_adjusted_max_replicas=3,
        )
        return runners_for_queue(context)[0]

    assert [wanted(), wanted(0.0), wanted(4.0), wanted(5.0), wanted(2.0, 9.0)] == [1, 1, 1, 2, 3]
    assert wanted(1000.0) == 3


def test_nodes_that_leave_are_known_and_this_one_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    from deepprove_dist.service import ray_draining

    monkeypatch.setattr(ray_draining, "_LOOK_SECONDS", 0.01)
    nodes = [{"NodeID": name, "NodeManagerAddress": f"10.0.0.{name}"} for name in "12"]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    notices: list[frozenset[str]] = [frozenset("2")]

    def draining(_: object) -> frozenset[str]:
        if not notices:
            raise ValueError("Ray's control is lost")
        return notices[0]

    monkeypatch.setattr(ray_draining.LeavingNodes, "_draining", draining)
    context = SimpleNamespace(get_node_id=lambda: "1", gcs_address="10.0.0.1:6379")
    left: list[bool] = []
    leaving = ray_draining.LeavingNodes(context)
    leaving.start(lambda: left.append(True))
    eventually(lambda: leaving.addresses == {"10.0.0.2"})
    assert left == []
    notices.clear()
    time.sleep(0.05)
    notices.append(frozenset("12"))
    eventually(lambda: left == [True])
    assert leaving.addresses == {"10.0.0.2"}


def replica(name: bytes) -> int:
    """The process of a replica of "gateway" or "prover"."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and b"ServeReplica:deepprove-dist:" + name in command(folder):
            return int(folder.name)
    raise AssertionError(f"there is no {name.decode()}")


def command(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""


def notify_prover_node(address: str) -> None:
    """Says that the node of the prover will go away in a minute."""
    from ray._private.state import actors
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled

    (node,) = {
        actor["Address"]["NodeID"]
        for actor in actors().values()
        if actor["State"] == "ALIVE" and "prover" in actor["ActorClassName"]
    }
    deadline = int(1000 * (time.time() + 60))
    accepted, why = GcsClient(address=address).drain_node(node, PREEMPTION, "a test", deadline)
    assert accepted, why


def eventually(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
