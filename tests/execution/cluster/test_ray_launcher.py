"""What the coordinator makes of a driver process that hangs, shouts or ends: in bounded time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepprove_dist.execution.cluster import ray_launcher
from deepprove_dist.execution.cluster.ray_launcher import RayLauncher
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig

JOINING = """
import os, sys, time
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
pipe.recv()
for answer in (None, None, "127.0.0.1", None, (2, "")):  # begin, probe, join, reserve, await_room
    number, method, arguments = pipe.recv()
    pipe.send(("answer", number, answer, None))
"""
HANGING = JOINING + "time.sleep(600)"
ENDING = (
    JOINING
    + r"""
print("[2026-11-29 15:06:48,938 C 14199 14199] rpc_client.h:638: Failed to connect to GCS within 60 seconds.")
print("/lib/x86_64-linux-gnu/libc.so.6(+0x1098ec) [0x7fdfe19278ec]", flush=True)
os._exit(134)
"""
)


@pytest.fixture
def launcher(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RayLauncher:
    """A launcher whose driver runs other code, and which gives it little time."""
    (tmp_path / "driver.py").write_text(request.param)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ray_launcher, "_DRIVER", "driver")
    monkeypatch.setattr(ray_launcher, "require_listener", lambda _: None)
    monkeypatch.setattr(ray_launcher, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(ray_launcher, "_CLOSE_SECONDS", 0.5)
    return RayLauncher("127.0.0.1:1", ScalingConfig(2))


@pytest.mark.parametrize("launcher", [HANGING], indirect=True)
def test_a_driver_that_hangs_is_ended(launcher: RayLauncher, caplog: pytest.LogCaptureFixture) -> None:
    begin = time.monotonic()
    assert launcher.ended() == {}
    assert "does not answer within 0.5 s" in launcher.capacity()
    launcher.close()
    assert time.monotonic() - begin < 5
    assert "Ray did not close within 0.5 s" in caplog.text


@pytest.mark.parametrize("launcher", [ENDING], indirect=True)
def test_a_driver_that_ended_says_why_without_its_stack(
    launcher: RayLauncher, capfd: pytest.CaptureFixture[str]
) -> None:
    end = time.monotonic() + 10
    expected = "the process that is connected to Ray has ended: Failed to connect to GCS within 60 seconds."
    while launcher.capacity() != expected:
        assert time.monotonic() < end, launcher.capacity()
    launcher.close()
    assert capfd.readouterr() == ("", ""), "what it prints is on nobody's screen"


def test_a_driver_ends_with_its_coordinator(tmp_path: Path) -> None:
    """Also one that is killed: the pipe ends."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    code = """
import socket, subprocess, sys
from multiprocessing.connection import Connection
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
ours, theirs = socket.socketpair()
module = "deepprove_dist.execution.cluster.ray_driver"
driver = subprocess.Popen([sys.executable, "-m", module, str(theirs.fileno())], pass_fds=[theirs.fileno()])
Connection(ours.detach()).send(ScalingConfig(1))
print(driver.pid, flush=True)
theirs.close()
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    end = time.monotonic() + 20
    while Path(f"/proc/{int(ended.stdout)}").exists():
        assert time.monotonic() < end
        time.sleep(0.1)
