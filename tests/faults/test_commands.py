"""A command that is interrupted or killed ends at once, and leaves no process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.faults.conftest import Setting, everywhere
from tests.faults.prover import MODEL
from tests.faults.running import environment, gone, send

pytestmark = [pytest.mark.slow, pytest.mark.faults]

# A shell's background jobs ignore SIGINT, and their children do.
PROGRAM = """
import signal
from deepprove_dist.cli.program import run
signal.signal(signal.SIGINT, signal.default_int_handler)
run()
"""


@everywhere
def test_workers_end_with_a_coordinator_that_is_killed(setting: Setting) -> None:
    with setting.proving() as program:
        workers = program.await_event("proving")["processes"]
        begin = time.monotonic()
        program.process.kill()
        assert gone(workers, 30) == []
        setting.measured("the coordinator is killed", time.monotonic() - begin, "no process left")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@everywhere
def test_a_signal_ends_the_command(sent: signal.Signals, setting: Setting) -> None:
    location = ["--local"] if setting.address is None else ["--address", setting.address]
    proof = setting.folder / "proof"
    arguments = ["prove", setting.keys.folder, "--input", MODEL / "input.json", "-o", proof]
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
    setting.measured(f"{sent.name} to the command", seconds, f"status {process.returncode}")
    assert seconds < 15
    assert len(shown.splitlines()) <= 2, shown
    assert not proof.exists()
