"""A process of ranks at its connection to the coordinator: it answers requests, and shows that it lives."""

from __future__ import annotations

import time
from contextlib import suppress
from select import select
from threading import Event, Lock, Thread

from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.connection import Connection, connect
from deepprove_dist.execution.network.heartbeat import COMPUTING, INTERVAL_SECONDS, WAITING
from deepprove_dist.execution.processes.identity import Identity
from deepprove_dist.execution.processes.process_report import Location, ProcessReport
from deepprove_dist.execution.workers.worker_process import WorkerProcess
from deepprove_dist.memory import keep_free_memory

_CONNECT_SECONDS = 30.0


def serve(
    process: WorkerProcess,
    number: int,
    location: Location,
    coordinator: Address,
    secret: bytes,
    peer_secret: bytes | None,
) -> None:
    """Answers the coordinator until the connection ends. Raises OSError where there is no connection.

    With `peer_secret`, ranks exchange values with those of other processes.
    """
    keep_free_memory()
    connection = connect(coordinator, secret, number, _CONNECT_SECONDS)
    peers = None if peer_secret is None else process.serve_peers(location.address, peer_secret)
    report = ProcessReport(Identity.of_this_process(), location, process.context.threads, peers)
    signs = _Signs(connection, process)
    with suppress(ConnectionError):  # the coordinator has closed, or is gone
        connection.send(encode(report), None)
        while True:
            select([connection], [], [])
            # A long message may take a while to arrive.
            signs.begin()
            message = connection.receive(None)
            signs.end(process.handle(message))
    process.close()
    connection.close()


class _Signs:
    """Sends signs of life between the beginning of a request and its answer."""

    def __init__(self, connection: Connection, process: WorkerProcess) -> None:
        self._connection, self._process = connection, process
        self._busy, self._lock = Event(), Lock()
        Thread(target=self._send, name="signs of life", daemon=True).start()

    def begin(self) -> None:
        """A request comes."""
        self._busy.set()

    def end(self, answer: bytes) -> None:
        """Sends the answer."""
        with self._lock:
            self._busy.clear()
            self._connection.send(answer, None)

    def _send(self) -> None:
        with suppress(OSError):
            while self._busy.wait():
                time.sleep(INTERVAL_SECONDS)
                with self._lock:
                    if self._busy.is_set():
                        self._connection.send(WAITING if self._process.waits else COMPUTING, None)
