"""A process that holds ranks: it takes a message with calls for some of them and answers all in one message.

A host has one rank, and more where the ranks of a lost host were moved to it. A rank begins with the first
call to it, with an empty state; the executor never gives a host the same rank twice.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgpack

from deepprove_dist.execution.cluster.connection import Address
from deepprove_dist.execution.cluster.peers import VALUE_SECONDS, Peers, PeerServer
from deepprove_dist.execution.process_context import ProcessContext
from deepprove_dist.execution.worker import Worker, WorkerFactory
from deepprove_dist.execution.worker_api import KeyWorker


class WorkerProcess:
    """Ranks of one process, each with `threads` threads for its kernels; their calls run one by one."""

    def __init__(self, threads: int, worker: WorkerFactory = KeyWorker) -> None:
        self.threads = threads
        self.context = ProcessContext()
        self._factory = worker
        self._workers: dict[int, Worker] = {}
        self._server: PeerServer | None = None
        self._peers: Peers | None = None

    def meet(self, address: str, secret: bytes) -> Address:
        """Lets ranks share values with those of other hosts, on one address of this machine."""
        self._server, self._peers = PeerServer(address, secret, self._find), Peers(secret)
        self.context.fetch = self._peers.fetch
        return self._server.address

    def close(self) -> None:
        """Leaves its peers."""
        if self._server is not None and self._peers is not None:
            self._server.close()
            self._peers.close()

    def handle(self, message: bytes | bytearray) -> bytes:
        """Runs the calls of a message; the answers as a message."""
        begun = {rank: self._worker(rank).begin(request) for rank, request in unpack_message(message).items()}
        return pack_message({rank: finish() for rank, finish in begun.items()})

    def _worker(self, rank: int) -> Worker:
        if rank not in self._workers:
            worker = self._factory(self.threads)
            worker.context, worker.rank = self.context, rank
            self._workers[rank] = worker
        return self._workers[rank]

    def _find(self, number: int, rank: int) -> bytes | None:
        # Called from another thread.
        worker = self._workers.get(rank)
        return None if worker is None else worker.kept.find(number, VALUE_SECONDS)


def pack_message(calls: Mapping[int, bytes]) -> bytes:
    """Calls or answers by rank as one message."""
    packed: bytes = msgpack.packb(dict(calls))
    return packed


def unpack_message(message: bytes | bytearray) -> dict[int, bytes]:
    """Calls or answers by rank. Raises ValueError for what is no message."""
    try:
        calls = dict(msgpack.unpackb(message, strict_map_key=False, max_bin_len=len(message)))
    except (ValueError, TypeError) as error:
        raise ValueError(f"no message: {error}") from error
    if not all(type(rank) is int and type(call) is bytes for rank, call in calls.items()):
        raise ValueError("no message: not a map of ranks to calls")
    return calls
