"""From the command line to workers and back."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import ChoiceError, ExecutionError
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig

MODEL = Path(__file__).parents[3] / "assets" / "models" / "iris_mlp_d1_w10"
MAIN = "from deepprove_dist.cli import main; main(prog_name='deepprove-dist')"

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray")


def run(home: Path, *arguments: object, code: str = MAIN) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment["HOME"] = str(home)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys` and the `proof` that one process makes with them."""
    folder = tmp_path_factory.mktemp("group")
    calibration = ("--calibration", MODEL / "calibration.npz")
    assert (
        run(
            folder, "setup", MODEL / "model.onnx", *calibration, "-o", folder / "keys", "--transparent"
        ).returncode
        == 0
    )
    # Prints the modules that were imported, after the command's own object.
    code = "import sys; from deepprove_dist.cli import main; main(standalone_mode=False); print(*sys.modules)"
    arguments = ("--input", MODEL / "input.json", "-o", folder / "proof", "--json")
    alone = run(folder, "prove", folder / "keys", *arguments, code=code)
    assert alone.returncode == 0, alone.stderr
    report, modules = alone.stdout.splitlines()
    assert json.loads(report)["workers"] == []
    assert "ray" not in modules.split()
    return folder


def test_without_an_address_workers_are_processes_of_this_machine(folder: Path) -> None:
    # More workers than this machine may have cores.
    arguments = ("--input", MODEL / "input.json", "-o", folder / "shared", "--workers", 3, "--json")
    shared = run(folder, "prove", folder / "keys", *arguments, "--trace", folder / "trace")
    assert shared.returncode == 0, shared.stderr
    workers = json.loads(shared.stdout)["workers"]
    assert {file.name for file in (folder / "trace").iterdir()} == {
        "phases.csv",
        "trace.json",
        "timeline.png",
    }
    assert [(worker["worker"], worker["threads"]) for worker in workers] == [(0, 1), (1, 1), (2, 1)]
    assert (folder / "shared").read_bytes() == (folder / "proof").read_bytes()
    line, _, few = shared.stderr.splitlines()[0].partition(", ")
    assert line == "starting 3 workers on this machine"
    assert few.startswith(f"which has {default_threads()} CPU") == (default_threads() < 3)
    assert not (folder / ".ray").exists()


@needs_ray
def test_nothing_listens_at_the_address(folder: Path) -> None:
    arguments = ("--input", MODEL / "input.json", "-o", folder / "none", "--workers", 2)
    refused = run(folder, "prove", folder / "keys", *arguments, "--address", "127.0.0.1:1")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("Error: no Ray cluster at 127.0.0.1:1: ")
    assert not (folder / "none").exists()


@needs_ray
def test_something_else_listens_at_the_address() -> None:
    begin = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as other:
        options = ClusterOptions(ScalingConfig(1), address=f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(ExecutionError, match="does not answer as one"):
            _refused(options)
    assert time.monotonic() - begin < 10


def test_a_trace_without_workers_is_for_report(folder: Path) -> None:
    arguments = ("--input", MODEL / "input.json", "-o", folder / "traced", "--trace", folder / "alone")
    traced = run(folder, "prove", folder / "keys", *arguments)
    assert traced.returncode == 0, traced.stderr
    assert {file.name for file in (folder / "alone").iterdir()} == {"trace.json"}
    report = run(folder, "report", folder / "alone" / "trace.json", "--json")
    names = {(group["phase"], group["name"]) for group in json.loads(report.stdout)["groups"]}
    assert {("proving", "opening"), ("proving", "relations"), ("whole", "proof")} <= names


def test_a_label_is_a_pair(folder: Path) -> None:
    arguments = (
        "--input",
        MODEL / "input.json",
        "-o",
        folder / "none",
        "--workers",
        2,
        "--node-label",
        "zone",
    )
    refused = run(folder, "prove", folder / "keys", *arguments)
    assert refused.returncode == 2
    assert "KEY=VALUE" in refused.stderr


def test_missing_ray_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ExecutionError, match=r"pip install 'deepprove-dist\[ray\]'"):
        _refused(ClusterOptions(ScalingConfig(1), address="127.0.0.1:1"))


def test_what_this_machine_cannot_give() -> None:
    with pytest.raises(ExecutionError, match="node labels need a Ray cluster"):
        _refused(ClusterOptions(ScalingConfig(1, labels={"zone": "a"}), local=True))


@pytest.mark.parametrize(
    ("address", "local", "why"),
    [("127.0.0.1:1", True, "local workers have no address"), ("ray://host:10001", False, "Ray Client")],
)
def test_addresses_that_there_are_not(address: str, local: bool, why: str) -> None:
    with pytest.raises(ChoiceError, match=why):
        ClusterOptions(ScalingConfig(1), address=address, local=local)


def _refused(options: ClusterOptions) -> None:
    with open_worker_group(options):
        pass
