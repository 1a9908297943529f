"""A process of ranks on the coordinator's machine: `LocalLauncher` starts it and hands over what it needs."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
from threading import Thread

from deepprove_dist.execution.processes.launcher import Start
from deepprove_dist.execution.processes.process_report import Location
from deepprove_dist.execution.processes.serving import serve
from deepprove_dist.execution.workers.worker_process import WorkerProcess

ADDRESS = "127.0.0.1"


def main() -> None:
    """Reads a `Start` from standard input and serves until the coordinator closes that, or the connection."""
    # The process that started this one wrote it.
    start = pickle.load(sys.stdin.buffer)
    assert isinstance(start, Start)
    Thread(target=_end_with_coordinator, daemon=True).start()
    process = WorkerProcess(start.threads, start.worker)
    location = Location(ADDRESS, socket.gethostname())
    serve(process, start.number, location, start.coordinator, start.secret, start.peer_secret)


def _end_with_coordinator() -> None:
    # A long call would otherwise go on, for nobody.
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
