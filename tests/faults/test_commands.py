"""A command that is interrupted or killed ends at once, and leaves no process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Keys
from tests.faults.prover import MODEL
from tests.faults.running import RayCluster, environment, gone, proving, send
from tests.faults.slow_worker import Options

pytestmark = [pytest.mark.slow, pytest.mark.faults]

# A shell's background jobs ignore SIGINT, and their children do.
PROGRAM = """
import signal
from deepprove_dist.cli.program import run
signal.signal(signal.SIGINT, signal.default_int_handler)
run()
"""


@pytest.mark.parametrize("where", ["local", "ray"])
def test_workers_end_with_a_coordinator_that_is_killed(
    where: str,
    keys: Keys,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    measured: Callable[[str, str, float, str], None],
) -> None:
    address = request.getfixturevalue("two_nodes").address if where == "ray" else None
    with proving(keys.folder, Options(address), tmp_path / "log") as program:
        workers = program.await_event("proving")["processes"]
        begin = time.monotonic()
        program.process.kill()
        assert gone(workers, 30) == []
        measured("the coordinator is killed", where, time.monotonic() - begin, "no process left")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("where", ["local", "ray"])
def test_a_signal_ends_the_command(
    sent: signal.Signals,
    where: str,
    keys: Keys,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    measured: Callable[[str, str, float, str], None],
) -> None:
    location = ["--local"]
    if where == "ray":
        cluster: RayCluster = request.getfixturevalue("two_nodes")
        location = ["--address", cluster.address]
    arguments = ["prove", keys.folder, "--input", MODEL / "input.json", "-o", tmp_path / "proof"]
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments), "--workers", "4", *location]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("starting 4 workers"), first
    time.sleep(0.5)
    begin = time.monotonic()
    send(process.pid, sent)
    shown = process.stderr.read()
    assert process.wait(30) != 0
    seconds = time.monotonic() - begin
    measured(f"{sent.name} to the command", where, seconds, f"status {process.returncode}")
    assert seconds < 15
    assert len(shown.splitlines()) <= 2, shown
    assert not (tmp_path / "proof").exists()
