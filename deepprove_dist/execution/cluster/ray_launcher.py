"""Processes on a Ray cluster, started and watched by a driver process of this run.

Every answer of the driver has a time bound. A driver that is gone has lost its processes; one that does not
answer has lost nothing yet: calls go over other connections.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from deepprove_dist.errors import ExecutionError, PlacementError
from deepprove_dist.execution.cluster.ray_authentication import authentication
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig, counted
from deepprove_dist.execution.processes.import_path import import_path
from deepprove_dist.execution.processes.launcher import Start, Stored
from deepprove_dist.metrics.sink import MetricBatch

logger = logging.getLogger(__name__)

_DRIVER = "deepprove_dist.execution.cluster.ray_driver"
_IMPORT_SECONDS, _CONNECT_SECONDS, _PROBE_SECONDS, _JOIN_SECONDS = 60.0, 5.0, 7.0, 30.0
_ANSWER_SECONDS, _CLOSE_SECONDS = 6.0, 10.0
#: A line of Ray's log: "[2026-11-29 15:06:48,938 C 14199 14199] file.cc:153: text".
_ERROR = re.compile(r"^\[[\d\-:, ]+ [EFC] [\d ]+\][^:]*:\d+: (?:\(.*?\) )?(.{1,200})", re.MULTILINE)
#: Batches of metrics that the driver has not answered yet: they fit into the pipe.
_MOST_RECORDING = 8
#: Between two looks at what the cluster lacks.
_NOTICE_SECONDS = 2.0


class RayLauncher:
    """Places in the cluster at an address, one for each worker.

    Raises ExecutionError where no cluster is there, or it does not let us in. Raises PlacementError where it
    has no room for all workers.
    """

    reserve_slot = None

    def __init__(self, address: str, config: ScalingConfig, call_timeout: float = 600.0) -> None:
        require_listener(address)
        self._call_timeout = call_timeout
        self._alive: set[int] = set()
        self._ended: dict[int, str] = {}
        self._asked, self._joined = 0, False
        self._recording: set[int] = set()
        ours, theirs = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `close` does
        with theirs:
            self._driver = subprocess.Popen(
                [sys.executable, "-m", _DRIVER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # Ray writes pages of its log to whatever it finds here.
                stdout=self._output,
                stderr=self._output,
                env={**os.environ, **authentication(), **import_path(), "RAY_USAGE_STATS_ENABLED": "0"},
                # Control-C is the coordinator's: it ends them.
                start_new_session=True,
            )
        self._pipe: Connection[Any, Any] = Connection(ours.detach())
        try:
            self._pipe.send(config)
            self.address = self._join(address)
            self._reserve(config)
        except BaseException:
            self.close()
            raise

    def start(self, slot: int, start: Start) -> None:
        """See Launcher."""
        self._alive.add(start.number)
        try:
            self._ask(_ANSWER_SECONDS, "start", slot, start)
        except PlacementError:
            raise
        except ExecutionError as error:
            # Also where its driver is gone: then there is no place any more, and others may have one.
            raise PlacementError(str(error)) from error

    def ended(self) -> Mapping[int, str]:
        """See Launcher."""
        with suppress(EOFError, OSError):
            while self._pipe.poll(0):
                self._take(self._pipe.recv())
            return dict(self._ended)
        return dict.fromkeys(self._alive, self._why_gone())

    def store(self, path: Path, digest: bytes, processes: Collection[int]) -> Stored:
        """See Launcher."""
        stored = self._ask(self._call_timeout, "store", path.read_bytes(), digest, list(processes))
        assert isinstance(stored, Stored)
        return stored

    def end(self, process: int) -> None:
        """See Launcher."""
        if process in self._alive:
            self._alive.discard(process)
            self._ended.pop(process, None)
            self._send("end", process)

    def record(self, batch: MetricBatch) -> bool:
        """Puts values into Ray's metrics; whether the driver takes them. One that hangs holds nobody up."""
        if len(self._recording) >= _MOST_RECORDING:
            self.ended()
        if len(self._recording) >= _MOST_RECORDING:
            return False
        self._recording.add(self._send("record", batch))
        return True

    def capacity(self) -> str:
        """See Launcher."""
        try:
            return str(self._ask(_ANSWER_SECONDS, "capacity"))
        except ExecutionError as error:
            return str(error)

    def close(self) -> None:
        """See Launcher: a driver that does not end in time is ended."""
        self._pipe.close()
        try:
            # One that has not joined has nothing to give back.
            self._driver.wait(_CLOSE_SECONDS if self._joined else 0.0)
        except subprocess.TimeoutExpired:
            if self._joined:
                logger.warning("Ray did not close within %g s: its driver is ended", _CLOSE_SECONDS)
        # Whatever the driver has left.
        with suppress(ProcessLookupError):
            os.killpg(self._driver.pid, signal.SIGKILL)
        self._driver.wait()
        self._output.close()

    def _join(self, address: str) -> str:
        # To import Ray may take long on a machine that is busy: that is no fault of the address.
        self._ask(_IMPORT_SECONDS, "begin")
        try:
            self._ask(_PROBE_SECONDS, "probe", address)
        except _NoAnswer as error:
            raise ExecutionError(
                f"no Ray cluster at {address}: what listens there does not answer as one, "
                f"in {_PROBE_SECONDS:g} s"
            ) from error
        self._joined = True
        return str(self._ask(_JOIN_SECONDS, "join", address))

    def _reserve(self, config: ScalingConfig) -> None:
        """Waits until there is room for all workers, and says so."""
        end, shown = time.monotonic() + config.placement_timeout, ""
        self._ask(_ANSWER_SECONDS, "reserve")
        while True:
            seconds = min(_NOTICE_SECONDS, max(0.0, end - time.monotonic()))
            nodes, missing = self._ask(seconds + _ANSWER_SECONDS, "await_room", seconds)
            if nodes:
                logger.info("starting %s on %s", counted(config.workers, "worker"), counted(nodes, "node"))
                return
            if time.monotonic() >= end:
                raise PlacementError(
                    f"no place for {config} within {config.placement_timeout:g} s: {missing}"
                )
            if missing != shown:
                shown = missing
                logger.info(
                    "waiting for places for %s, for %.0f s: %s", config, end - time.monotonic(), missing
                )

    def _ask(self, seconds: float, method: str, *arguments: object) -> Any:
        """What the driver answers. Raises what it raises, and _NoAnswer."""
        number = self._send(method, *arguments)
        result, error = self._await_answer(number, time.monotonic() + seconds)
        if error is not None:
            raise _NoAnswer(f"Ray does not answer within {seconds:g} s") if error is _LATE else error
        return result

    def _await_answer(self, number: int, end: float) -> tuple[Any, Exception | None]:
        try:
            while self._pipe.poll(max(0.0, end - time.monotonic())):
                message = self._pipe.recv()
                if message[:2] == ("answer", number):
                    return message[2], message[3]
                self._take(message)
        except (EOFError, OSError):
            return None, ExecutionError(self._why_gone())
        return None, _LATE

    def _send(self, method: str, *arguments: object) -> int:
        self._asked += 1
        with suppress(OSError):
            self._pipe.send((self._asked, method, arguments))
        return self._asked

    def _take(self, message: tuple[Any, ...]) -> None:
        """Keeps what the driver says unasked; answers that came too late are nobody's."""
        if message[0] == "ended":
            if message[1] in self._alive:
                self._ended[message[1]] = message[2]
        else:
            self._recording.discard(message[1])

    def _why_gone(self) -> str:
        self._output.seek(0)
        # Ray ends with a trace of its stack. What it was ended for is the last error in its log before.
        errors = _ERROR.findall(self._output.read().decode(errors="replace"))
        return "the process that is connected to Ray has ended" + (f": {errors[-1]}" if errors else "")


class _NoAnswer(ExecutionError):
    """The driver did not answer in time."""


_LATE = _NoAnswer()


def require_listener(address: str) -> None:
    """Raises ExecutionError unless something listens there: Ray would go on trying for ten minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except OSError as error:
        raise ExecutionError(f"no Ray cluster at {address}: {error}") from error
