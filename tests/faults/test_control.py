"""Ray's control and nodes die or freeze: proofs that are under way go on, and closing is bounded."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from os import statvfs
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.conftest import Keys
from tests.faults.running import SEED, RayCluster, chance, proving, ray_cluster, require_recovery, send
from tests.faults.slow_worker import Options

pytestmark = [pytest.mark.slow, pytest.mark.faults]

ONE = ({"num_cpus": 8},)
TWO = ({"num_cpus": 0}, {"num_cpus": 8})
THREE = ({"num_cpus": 0}, {"num_cpus": 4}, {"num_cpus": 4})


def kill_control(cluster: RayCluster, workers: list[int]) -> None:
    send(cluster.control, signal.SIGKILL)


def kill_control_and_a_worker(cluster: RayCluster, workers: list[int]) -> None:
    send(cluster.control, signal.SIGKILL)
    send(workers[0], signal.SIGKILL)


def freeze_control_for_a_while(cluster: RayCluster, workers: list[int]) -> None:
    send(cluster.control, signal.SIGSTOP)
    time.sleep(20)
    send(cluster.control, signal.SIGCONT)


def kill_node(cluster: RayCluster, workers: list[int]) -> None:
    send(cluster.nodes[-1], signal.SIGKILL)


def kill_node_and_workers(cluster: RayCluster, workers: list[int]) -> None:
    """Ray would let the workers of a node that is lost live for a while."""
    kill_node(cluster, workers)
    for worker in workers:
        send(worker, signal.SIGKILL)


def freeze_node(cluster: RayCluster, workers: list[int]) -> None:
    send(cluster.nodes[-1], signal.SIGSTOP)


@dataclass(frozen=True)
class Scenario:
    """Attributes:
    rows: of the table of outcomes.
    actions: what is done about losses; empty where nobody may be lost.
    fallback: what the report has to say besides.
    aim: seconds after the fault until lost ranks have processes; None where nobody is lost for sure.
    """

    name: str
    rows: tuple[int, ...]
    nodes: tuple[dict[str, int], ...]
    act: Callable[[RayCluster, list[int]], None]
    actions: frozenset[str]
    proofs: int = 2
    fallback: str = ""
    aim: float | None = 10.0


SOME, MOVED = frozenset({"replaced", "moved"}), frozenset({"moved"})
RESERVE = "no worker of the cluster is alive: one process of this machine takes all parts"
SCENARIOS = (
    Scenario("the only node is lost", (7, 21, 23), ONE, kill_node, SOME, 8, aim=None),
    Scenario("the only node and its workers are lost", (7,), ONE, kill_node_and_workers, MOVED, 2, RESERVE),
    Scenario("the only node with CPUs is lost", (7,), TWO, kill_node_and_workers, MOVED, 2, RESERVE),
    Scenario("one of two nodes is lost", (25,), THREE, kill_node, SOME, 8, aim=None),
    Scenario("the control is killed", (8, 22, 24), ONE, kill_control, frozenset()),
    Scenario("a node's daemon is frozen", (12,), ONE, freeze_node, SOME, aim=None),
    Scenario("the control is frozen for 20 s", (13,), ONE, freeze_control_for_a_while, frozenset(), 5),
    Scenario("the control and a worker are killed", (14,), ONE, kill_control_and_a_worker, SOME),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_control(
    scenario: Scenario, keys: Keys, tmp_path: Path, measured: Callable[[str, str, float, str], None]
) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    draw = chance(scenario.name)
    with ray_cluster(scenario.nodes, tmp_path / "ray") as cluster:
        options = Options(cluster.address, proofs=scenario.proofs)
        with proving(keys.folder, options, tmp_path / "log") as program:
            workers = program.await_event("proving")["processes"]
            time.sleep(draw.uniform(0.2, 3))
            begin, fault = time.monotonic(), time.time()
            scenario.act(cluster, workers)
            # One process may have to make all proofs, of which each part takes its time.
            status = program.await_end(300)
            seconds = time.monotonic() - begin
    log = (tmp_path / "log").read_text()
    assert status == 0, f"seed {SEED}: {program.events[-1:]}\n{log}"
    assert [event["proof"] for event in program.of("proved")] == [keys.proof] * scenario.proofs
    (report,) = program.of("report")
    actions = {loss["action"] for loss in report["losses"]}
    outcome = f"{len(report['losses'])} lost: {', '.join(sorted(actions))}"
    measured(scenario.name, "ray", seconds, outcome + require_recovery(report["losses"], fault, scenario.aim))
    assert actions <= scenario.actions
    assert not scenario.fallback or scenario.fallback in report["fallbacks"]
    # Ray's own log is on nobody's screen.
    assert "raylet" not in log
    assert "Traceback" not in log


@pytest.fixture
def small_folders() -> Iterator[tuple[Path, Path]]:
    """A folder with room for 200 KB, and one for 20 MB. Paths are short: Ray's sockets are in one of them."""
    with ExitStack() as folders:
        paths = [Path(folders.enter_context(TemporaryDirectory(prefix="r"))) for _ in range(2)]
        for path, size in zip(paths, ("200k", "20m"), strict=True):
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
            if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
                pytest.skip("needs root, to mount file systems")
            folders.callback(subprocess.run, ["umount", "--lazy", str(path)], check=True)
        yield paths[0], paths[1]


def test_little_room_for_rays_session_and_shared_memory(
    small_folders: tuple[Path, Path],
    keys: Keys,
    tmp_path: Path,
    measured: Callable[[str, str, float, str], None],
) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    session, memory = small_folders
    node = {"num_cpus": 8, "temp_dir": str(session), "plasma_directory": str(memory)}
    with ray_cluster([node], tmp_path / "ray") as cluster:
        assert cluster.folder.startswith(str(session))
        with proving(keys.folder, Options(cluster.address), tmp_path / "log") as program:
            program.await_event("proving")
            begin = time.monotonic()
            # One process may have to make all proofs, of which each part takes its time.
            status = program.await_end(300)
        full = statvfs(session).f_bavail == 0
    assert status == 0, f"{program.events[-1:]}\n{(tmp_path / 'log').read_text()}"
    assert full
    assert [event["proof"] for event in program.of("proved")] == [keys.proof] * 2
    measured("little room for Ray", "ray", time.monotonic() - begin, "same bytes")
