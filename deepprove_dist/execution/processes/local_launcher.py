"""Processes on the coordinator's machine, without a cluster: they end with the coordinator."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.processes import local_process
from deepprove_dist.execution.processes.import_path import import_path
from deepprove_dist.execution.processes.launcher import Start, Stored

_END_SECONDS = 5.0
_KERNEL_COUNTERS = Path("/proc/vmstat")


@dataclass(frozen=True)
class _Local:
    """A process and what it prints."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]


class LocalLauncher:
    """Starts any number of processes: they may be more than this machine's cores."""

    address = local_process.ADDRESS
    reserve_slot = None

    def __init__(self) -> None:
        self._processes: dict[int, _Local] = {}
        self._ended_for_memory = _processes_ended_for_memory()

    def start(self, slot: int, start: Start) -> None:
        """Starts a process with this one's packages; see Launcher."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        process = subprocess.Popen(
            [sys.executable, "-m", local_process.__name__],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, **import_path()},
            # Control-C is the coordinator's: it ends them.
            start_new_session=True,
        )
        self._processes[start.number] = _Local(process, output)
        assert process.stdin is not None
        try:
            process.stdin.write(pickle.dumps(start))
            process.stdin.flush()
        except BrokenPipeError:  # `ended` says why
            pass

    def ended(self) -> Mapping[int, str]:
        """See Launcher."""
        codes = {number: local.process.poll() for number, local in self._processes.items()}
        return {number: self._reason(number, code) for number, code in codes.items() if code is not None}

    def store(self, path: Path, digest: bytes, processes: Collection[int]) -> Stored:
        """Processes of this machine see its files."""
        raise ExecutionError(f"a worker on this machine does not find {path}, or finds other bytes in it")

    def end(self, process: int) -> None:
        """See Launcher."""
        local = self._processes.pop(process, None)
        if local is None:
            return
        local.process.kill()
        # One that hangs in the system ends later.
        with suppress(subprocess.TimeoutExpired):
            local.process.wait(_END_SECONDS)
        local.output.close()
        assert local.process.stdin is not None
        local.process.stdin.close()

    def capacity(self) -> str:
        """See Launcher."""
        return f"this machine has {default_threads()} CPUs"

    def close(self) -> None:
        """See Launcher."""
        for process in list(self._processes):
            self.end(process)

    def _reason(self, number: int, code: int) -> str:
        if code < 0:
            names = {known.value: known.name for known in signal.Signals}
            killed = f"its process was ended by {names.get(-code, f'signal {-code}')}"
            if -code == signal.SIGKILL and _processes_ended_for_memory() > self._ended_for_memory:
                return f"out of memory: {killed}, and the system has ended processes for want of memory"
            return killed
        output = self._processes[number].output
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
        return f"its process ended with status {code}" + (f": {lines[-1]}" if lines else "")


def _processes_ended_for_memory() -> int:
    """How many the system has ended since it started; 0 where it does not count them."""
    try:
        lines = _KERNEL_COUNTERS.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
