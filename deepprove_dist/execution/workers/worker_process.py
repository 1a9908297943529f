"""A process that holds ranks: it takes a message with requests for some of them, and answers in one.

A process has one rank, and more where the ranks of a lost process were moved to it. A rank begins with the
first request to it, with an empty state. The executor never gives a process the same rank twice.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec

from deepprove_dist.execution.calls.messages import decoder, encode
from deepprove_dist.execution.calls.requests import Message
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.peers import VALUE_SECONDS, Peers, PeerServer
from deepprove_dist.execution.workers.file_cache import cache_folder, find_file, hold_file, store_file
from deepprove_dist.execution.workers.worker import ProcessContext, Worker, WorkerFactory


class FindFile(Message, frozen=True, tag=True):
    """Asks a process whether its machine has a file of that size and digest, at that path or in its cache."""

    path: str
    size: int
    digest: bytes


class FilePresence(Message, frozen=True):
    """The answer to `FindFile`."""

    present: bool


# Requests are views of their message: the witness of a large network is copied often enough.
_MESSAGES: msgspec.msgpack.Decoder[dict[int, memoryview] | FindFile] = decoder(
    dict[int, memoryview] | FindFile  # type: ignore[arg-type]  # a union
)
_ANSWERS = decoder(dict[int, bytes])
_PRESENCE = decoder(FilePresence)

_LENGTH = struct.Struct(">BI")
_MAP_32, _BYTES_32, _LONGEST = 0xDF, 0xC6, (1 << 32) - 1
"""What maps and bytes of any length begin with in msgpack."""


def read_presence(message: bytes | bytearray) -> bool:
    """The answer to `FindFile`. Raises ValueError for another one."""
    return _PRESENCE.decode(message).present


class WorkerProcess:
    """Ranks of one process, each with `threads` threads for its kernels; their requests run one by one."""

    def __init__(self, threads: int, worker: WorkerFactory) -> None:
        self.context = ProcessContext(threads)
        self._factory = worker
        self._workers: dict[int, Worker] = {}
        self._server: PeerServer | None = None
        self._peers: Peers | None = None

    def serve_peers(self, host: str, secret: bytes) -> Address:
        """Lets ranks exchange values with those of other processes, on one address of this machine."""
        self._server, self._peers = PeerServer(host, secret, self._find), Peers(secret)
        self.context.fetch = self._peers.fetch
        return self._server.address

    @property
    def waits(self) -> bool:
        """Whether a rank waits now for what other processes publish."""
        return self._peers is not None and self._peers.waits

    def find_file(self, path: Path, size: int, digest: bytes) -> bool:
        """Whether this machine has that file; then ranks find it by its digest."""
        if digest not in self.context.files and (local := find_file(path, size, digest)) is not None:
            self.context.files[digest] = local
        return digest in self.context.files

    def store_file(self, content: memoryview, digest: bytes) -> str:
        """Stores a file on this machine, or in this process's memory; then the answer says why not there.

        Raises FormatError where the file was changed on the way, and OSError where memory cannot take it.
        """
        if self.find_file(cache_folder(), len(content), digest):  # another process has stored it
            return ""
        try:
            self.context.files[digest] = store_file(content, digest)
        except OSError as error:
            self.context.files[digest] = hold_file(content, digest)
            return error.strerror or str(error)
        return ""

    def close(self) -> None:
        """Ends the connections to other processes."""
        if self._server is not None and self._peers is not None:
            self._server.close()
            self._peers.close()

    def handle(self, message: bytes | bytearray) -> bytes:
        """Runs the requests of a message; the answers as a message."""
        requests = _MESSAGES.decode(message)
        if isinstance(requests, FindFile):
            return encode(FilePresence(self.find_file(Path(requests.path), requests.size, requests.digest)))
        begun = {rank: self._worker(rank).begin(request) for rank, request in requests.items()}
        return b"".join(pack_message({rank: finish() for rank, finish in begun.items()}))

    def _worker(self, rank: int) -> Worker:
        if rank not in self._workers:
            self._workers[rank] = self._factory(self.context, rank)
        return self._workers[rank]

    def _find(self, number: int, rank: int) -> bytes | None:
        # Called from another thread.
        worker = self._workers.get(rank)
        return None if worker is None else worker.published.find(number, VALUE_SECONDS)


def pack_message(parts: Mapping[int, bytes]) -> list[bytes]:
    """Requests or answers by rank as one message, in pieces: to join them would copy long ones.

    Raises OverflowError for a part of 4 GiB.
    """
    pieces = [_LENGTH.pack(_MAP_32, len(parts))]
    for rank, part in parts.items():
        if len(part) > _LONGEST:
            raise OverflowError(f"a message has parts of up to {_LONGEST:,} bytes")
        pieces += [encode(rank) + _LENGTH.pack(_BYTES_32, len(part)), part]
    return pieces


def unpack_message(message: bytes | bytearray) -> dict[int, bytes]:
    """Requests or answers by rank. Raises ValueError for what is no message."""
    try:
        return _ANSWERS.decode(message)
    except ValueError as error:
        raise ValueError(f"no message: {error}") from error
