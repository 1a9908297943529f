"""The programs of the fault suite as tests run them: started, watched, and ended whatever happens."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.slow_worker import Options

TOP = Path(__file__).parents[2]
_STARTS = 3
_BUSY = 3
SEED = int(os.environ.get("FAULT_SEED", "1"))
"""Decides who is hit and when; a failure names it."""


def environment() -> dict[str, str]:
    """Of all programs: nothing of Ray's is left in the user's home."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(TOP), *sys.path]),
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


@dataclass
class Program:
    """A process that says where it is, a JSON object a line."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    _lines: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def next_event(self, seconds: float) -> dict[str, Any] | None:
        """What it says next; None once it has ended. Raises AssertionError after so many seconds."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"nothing in {seconds:g} s, after {self.events[-1:]}") from None
        if line is None:
            return None
        event = json.loads(line)
        assert isinstance(event, dict)
        self.events.append(event)
        return event

    def await_event(self, name: str, seconds: float = 120.0) -> dict[str, Any]:
        """The next event of that name."""
        end = time.monotonic() + seconds
        while (event := self.next_event(max(0.1, end - time.monotonic()))) is not None:
            if event["event"] == name:
                return event
        raise AssertionError(f"it ended without {name!r}: {self.events[-1:]}")

    def await_end(self, seconds: float) -> int:
        """Reads all that it says; its exit status."""
        end = time.monotonic() + seconds
        while self.next_event(max(0.1, end - time.monotonic())) is not None:
            pass
        return self.process.wait(max(0.1, end - time.monotonic()))

    def of(self, name: str) -> list[dict[str, Any]]:
        """All events of that name so far."""
        return [event for event in self.events if event["event"] == name]


@contextmanager
def started(module: str, *arguments: str, errors: Path) -> Iterator[Program]:
    """A program of this folder; it is killed with the block, if it has not ended."""
    process = _start(module, arguments, errors)
    try:
        yield Program(process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def proving(folder: Path, options: Options, errors: Path) -> Iterator[Program]:
    """The prover of this folder."""
    with started("tests.faults.prover", str(folder), json.dumps(asdict(options)), errors=errors) as program:
        yield program


@dataclass(frozen=True)
class Recovery:
    """What losses took, in seconds after the fault; those of the latest of them.

    Attributes:
        noticed: it was known.
        started: its rank had a process again. What comes after it is work that is done again.
        done: the rank had its state again.
        calls: made again, of all ranks.
    """

    noticed: float
    started: float
    done: float
    calls: int

    @staticmethod
    def of(losses: Sequence[Mapping[str, Any]], fault: float) -> Recovery | None:
        """Of records of losses, and the time of the fault, in seconds since 1970; None where none is lost."""
        if not losses:
            return None
        noticed = [loss["noticed"] - fault for loss in losses]
        started, done = (
            max(when + loss[name] for when, loss in zip(noticed, losses, strict=True))
            for name in ("start_seconds", "seconds")
        )
        return Recovery(max(noticed), started, done, sum(loss["replayed_calls"] for loss in losses))

    def __str__(self) -> str:
        return (
            f"noticed {self.noticed:.1f} s after, in a process at {self.started:.1f}, "
            f"state again at {self.done:.1f}, with {self.calls} calls"
        )


def require_recovery(losses: Sequence[Mapping[str, Any]], fault: float, aim: float | None) -> str:
    """What recovering took; the start of processes has to keep to an aim, three times as long if busy."""
    recovery = Recovery.of(losses, fault)
    if recovery is None:
        return ""
    assert aim is None or recovery.started < _BUSY * aim, str(recovery)
    return f"; {recovery}"


@dataclass(frozen=True)
class RayCluster:
    """Attributes:
    address: HOST:PORT.
    control: the process of Ray's control (GCS).
    nodes: the process of each node's raylet, the head's first.
    folder: of the session.
    """

    address: str
    control: int
    nodes: tuple[int, ...]
    folder: str


@contextmanager
def ray_cluster(
    nodes: Sequence[Mapping[str, Any]], errors: Path, settings: Mapping[str, str] | None = None
) -> Iterator[RayCluster]:
    """A cluster; all its processes are gone after the block. Ray gives a node half a minute to start.

    `settings` are variables of its processes, beside those of `environment`.
    """
    for attempt in range(_STARTS):
        process = _start(
            "tests.faults.ray_nodes", [json.dumps(nodes)], errors, settings, start_new_session=True
        )
        assert process.stdout is not None
        if line := process.stdout.readline():
            break
        process.kill()
        process.wait()
        assert attempt + 1 < _STARTS, f"Ray did not start: {errors.read_text()[-2000:]}"
    fields = json.loads(line)
    cluster = RayCluster(fields["address"], fields["control"], tuple(fields["nodes"]), fields["folder"])
    try:
        yield cluster
    finally:
        for stopped in (*cluster.nodes, cluster.control):
            send(stopped, signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for left in processes_of(cluster.folder):
            send(left, signal.SIGKILL)
        process.kill()
        process.wait()


def _start(
    module: str,
    arguments: Sequence[str],
    errors: Path,
    settings: Mapping[str, str] | None = None,
    *,
    start_new_session: bool = False,
) -> subprocess.Popen[str]:
    with errors.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**environment(), **(settings or {})},
            cwd=TOP,
            start_new_session=start_new_session,
        )


def processes_of(words: str) -> list[int]:
    """Processes of this machine whose command line has these words."""
    listed = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and words.encode() in (entry / "cmdline").read_bytes():
                listed.append(int(entry.name))
    return [number for number in listed if number != os.getpid()]


def send(process: int, sent: signal.Signals) -> None:
    """Sends a signal to a process, which may be gone."""
    with suppress(ProcessLookupError):
        os.kill(process, sent)


def chance(name: str) -> random.Random:
    """What a scenario draws from: the same in each run of a seed."""
    return random.Random(f"{SEED} {name}")


def gone(processes: Sequence[int], seconds: float) -> list[int]:
    """Those of some processes that are still there after so many seconds; a zombie is gone."""
    end = time.monotonic() + seconds
    while (left := [number for number in processes if _alive(number)]) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
