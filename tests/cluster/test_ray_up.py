"""`ray up ray-config.yaml` on hosts of their own: a cluster, proofs by it, a host lost in mid-proof."""

from __future__ import annotations

import importlib.util
import json
import re
import site
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.testbed.hosts import HOME, Host, Hosts, missing, start_hosts

TOP = Path(__file__).parents[2]
MODEL = TOP / "assets" / "models" / "iris_mlp_d1_w10"
WHEELS = TOP / "dist"

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"no hosts on this machine: {missing()}"),
    pytest.mark.skipif(not list(WHEELS.glob("*.whl")), reason="needs a wheel: make wheel"),
    pytest.mark.skipif(
        importlib.util.find_spec("opencensus") is None, reason="needs pip install 'ray[default]'"
    ),
]

ON_HOST = "source ~/.bashrc; cd ~/proofs;"


def config(bed: Hosts) -> str:
    """The shipped file with this testbed's addresses: the lines with (*)."""
    head, *workers = (host.address for host in bed.all[1:])
    text = (TOP / "ray-config.yaml").read_text()
    for pattern, value in (
        (r"head_ip: .*", f"head_ip: {head}"),
        (r"worker_ips: .*", f"worker_ips: [{', '.join(workers)}]"),
        (r"ssh_user: ubuntu.*", "ssh_user: root"),
    ):
        text, count = re.subn(pattern, value, text, count=1)
        assert count == 1
    return text


def prepare(host: Host) -> None:
    """What a real host has and these lack: a way to package registries.

    Where the config would make an environment, there is one with the packages of this process. Pip finds
    there what it would download.
    """
    venv = f"{HOME}/deepprove-dist/venv"
    host.run(f"{sys.executable} -m venv {venv}")
    (packages,) = (line for line in host.run(f"ls -d {venv}/lib/*/site-packages").split() if line)
    host.write(f"{packages}/outside.pth", "\n".join(site.getsitepackages()) + "\n")
    host.write("/etc/pip.conf", "[global]\nno-index = true\n", mode=0o644)
    ray = Path(sys.executable).with_name("ray")
    host.run(f"sed '1s|.*|#!{venv}/bin/python|' {ray} > {venv}/bin/ray && chmod +x {venv}/bin/ray")


@pytest.fixture(scope="module")
def bed() -> Iterator[Hosts]:
    """Host 0 is the operator's; 1 is the head; 2 and 3 are workers."""
    with start_hosts(4) as bed:
        operator = bed.all[0]
        for host in bed.all:
            prepare(host)
        operator.write(f"{HOME}/.ssh/id_ed25519", bed.key)
        operator.write(f"{HOME}/ray-config.yaml", config(bed))
        # As docs/cluster.md says: nothing about usage statistics.
        environment = "export RAY_AUTH_MODE=token"
        operator.write(f"{HOME}/.bashrc", f"{environment} PATH={HOME}/deepprove-dist/venv/bin:$PATH\n")
        operator.run("source ~/.bashrc; ray get-auth-token --generate")
        operate(operator, "ray up -y --no-config-cache ~/ray-config.yaml", 300)
        await_nodes(operator, 3)
        for host in bed.all[1:]:
            keys(host)
        yield bed
        operate(operator, "ray down -y ~/ray-config.yaml", 120)


def operate(operator: Host, command: str, timeout: float) -> str:
    return operator.run(f"source ~/.bashrc; {command}", timeout, folder=TOP)


def keys(host: Host) -> None:
    """The same keys on every host under the same path: they are a function of the samples and the model."""
    folder = f"{HOME}/proofs"
    host.run(f"mkdir -p {folder}")
    # Hiding proofs have other random values each time, so that no two could be compared.
    command = f"deepprove-dist setup {MODEL}/model.onnx --calibration {MODEL}/calibration.npz -o keys"
    host.run(f"{ON_HOST} {command} --transparent", 120)


def await_nodes(operator: Host, count: int) -> None:
    """Workers follow some seconds after the head."""
    code = "import ray; ray.init('auto', logging_level=50, log_to_driver=False); "
    code += "print('alive', sum(node['Alive'] for node in ray.nodes()))"
    ask = f'ray exec ~/ray-config.yaml "python -c \\"{code}\\""'
    end = time.monotonic() + 120
    while f"alive {count}" not in operate(operator, ask, 60):
        assert time.monotonic() < end, f"not {count} nodes"
        time.sleep(2)


def test_no_process_of_ray_sends_usage_statistics(bed: Hosts) -> None:
    environment = "/proc/$(pgrep -f raylet/raylet | head -1)/environ"
    show = f"tr '\\0' '\\n' < {environment} | grep RAY_USAGE_STATS_ENABLED"
    for host in bed.all[1:]:
        assert host.run(show).split() == ["RAY_USAGE_STATS_ENABLED=0"]


def test_a_proof_by_three_hosts(bed: Hosts) -> None:
    head = bed.all[1]
    prove = f"deepprove-dist prove keys --input {MODEL}/input.json --json"
    head.run(f"{ON_HOST} {prove} -o alone", 60)
    shared = head.run(f"{ON_HOST} {prove} -o shared --workers 3 --address auto 2>/dev/null", 120)
    workers = json.loads(shared.splitlines()[-1])["workers"]
    assert {worker["node"].split()[-1] for worker in workers} == {host.address for host in bed.all[1:]}
    assert head.read(f"{HOME}/proofs/shared") == head.read(f"{HOME}/proofs/alone")


SLOW = """
import time
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.execution.phases.worker_api import METHODS
from deepprove_dist.execution.workers.worker import Worker

class Slow(Worker):
    def call(self, method, arguments):
        time.sleep(0.1)
        return super().call(method, arguments)

def slow(context, rank):
    return Slow(context, rank, WorkerState(context), METHODS)
"""

DRIVER = f"""
from pathlib import Path
from slow import slow
import deepprove_dist as dp
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.phases.policy import SHARE_ALL
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.kernels import Pool

keys = dp.ProvingKey.load("keys")
one, x = keys.prover, keys.read_inputs("{MODEL}/input.json")
with open_worker_group(ClusterOptions(ScalingConfig(3), address="auto"), slow) as group:
    model = Path("keys/model.integer")
    shared = load_cluster_prover(one.model, model, one.verifying, group, Pool(1), SHARE_ALL)
    print("proving", flush=True)
    Path("slow").write_bytes(dp.ProvingKey(shared).prove(x).content)
    print("nodes", *(runs_on.node.split()[-1] for runs_on in group.descriptions))
    for loss in group.recovery.losses:
        print("loss", loss.noticed, loss.start_seconds, loss.action, loss.reason)
"""


def test_a_host_is_lost_in_mid_proof(bed: Hosts) -> None:
    _, head, other, lost = bed.all
    for host in (head, other, lost):
        host.write(f"{HOME}/proofs/slow.py", SLOW)
    head.write(f"{HOME}/proofs/driver.py", DRIVER)
    driver = head.popen(f"{ON_HOST} python driver.py")
    assert driver.stdout is not None
    bound = threading.Timer(120, driver.kill)
    bound.start()
    lines = []
    for line in driver.stdout:
        lines.append(line)
        if line == "proving\n":
            begin = time.monotonic()
            time.sleep(2)  # of some sixty calls of a tenth of a second each
            fault = time.time()
            bed.kill(lost)
    bound.cancel()
    output = "".join(lines)
    assert driver.wait(10) == 0, output
    # The cable was out before anything could say goodbye: Ray's health checks had to see it.
    assert 5 < time.monotonic() - begin < 60
    losses = [line.split() for line in lines if line.startswith("loss")]
    assert losses, "the host was lost, so its worker was"
    # Ten seconds where the machine is quiet: Ray's health checks, with the settings of the file, and a start.
    noticed = max(float(when) - fault for _, when, *_ in losses)
    recovered = max(float(when) + float(seconds) - fault for _, when, seconds, *_ in losses)
    print(f"the loss was noticed after {noticed:.1f} s, a process was there at {recovered:.1f} s")
    assert recovered < 20
    (nodes,) = (line.split()[1:] for line in lines if line.startswith("nodes"))
    assert set(nodes) == {head.address, other.address}
    assert head.read(f"{HOME}/proofs/slow") == head.read(f"{HOME}/proofs/alone")
