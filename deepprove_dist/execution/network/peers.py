"""Workers fetch published values from each other: every process answers callers that know the run's secret.

A caller sends the number of an all-gather and a rank. It gets the value that the rank publishes, as soon as
that is there. Or it gets an empty message; values are never empty. Connections stay open from one all-gather
to the next. All peers are asked before the first answer is read. So an all-gather takes one round trip and
the time of the bytes. A caller without the secret occupies one of a few threads for a bounded time; others
wait.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, Thread

from deepprove_dist.errors import PeerError
from deepprove_dist.execution.network.address import Address, Publisher
from deepprove_dist.execution.network.connection import Connection, connect, handshake, listen

#: How long a process waits for a value that its rank is to publish. A dead process is noticed at once.
VALUE_SECONDS = 120.0
_CONNECT_SECONDS = 10.0
#: Between two pieces of a value.
_STALL_SECONDS = 30.0
_SEND_SECONDS = 120.0
_HANDSHAKES, _CONNECTS = 8, 16
#: The number of an all-gather, and a rank.
_REQUEST = struct.Struct("<QQ")


class PeerServer:
    """Serves values on one address of this machine.

    `find` gives the value of an all-gather's number and a rank. Other threads call it, and it may wait.
    """

    def __init__(self, host: str, secret: bytes, find: Callable[[int, int], bytes | None]) -> None:
        self._listener = listen(host)
        self.address = Address(host, self._listener.getsockname()[1])
        self._secret = secret
        self._find = find
        self._handshakes = ThreadPoolExecutor(_HANDSHAKES, "handshake")
        self._peers: set[Connection] = set()
        self._lock, self._closed = Lock(), False
        Thread(target=self._serve, name="peers", daemon=True).start()

    def close(self) -> None:
        """Ends all connections and takes no more."""
        # Closing alone does not wake the thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._handshakes.shutdown(wait=False)
        with self._lock:
            self._closed = True
            for peer in self._peers:
                peer.shut_down()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
                self._handshakes.submit(self._handshake, caller)
            except ConnectionError:  # the caller closed before its turn
                continue
            except (OSError, RuntimeError):  # closed
                return

    def _handshake(self, caller: socket.socket) -> None:
        with suppress(OSError):
            _, peer = handshake(caller, self._secret, _CONNECT_SECONDS)
            # A daemon, unlike a pool's threads: the end of this process does not wait for a peer.
            Thread(target=self._answer, args=(peer,), name="peer", daemon=True).start()

    def _answer(self, peer: Connection) -> None:
        with self._lock:
            if self._closed:
                peer.close()
                return
            self._peers.add(peer)
        with suppress(OSError):
            while True:
                request = peer.receive(None, most=_REQUEST.size)
                if len(request) != _REQUEST.size:
                    raise ConnectionError("not a request")
                peer.send(self._find(*_REQUEST.unpack(request)) or b"", _SEND_SECONDS)
        with self._lock:
            self._peers.discard(peer)
        peer.close()


class Peers:
    """Connections to other processes' servers, opened when they are first needed."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._connections: dict[Address, Connection] = {}
        self.waits = False
        """Whether a call waits for other processes now; other threads read it."""

    def fetch(self, number: int, sources: Sequence[Publisher]) -> list[bytes]:
        """What sources publish in an all-gather, in their order.

        Raises PeerError for the first that published nothing.
        """
        self.waits = True
        try:
            return self._fetch(number, sources)
        finally:
            self.waits = False

    def close(self) -> None:
        """Ends all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _fetch(self, number: int, sources: Sequence[Publisher]) -> list[bytes]:
        self._drop_closed({source.address for source in sources})
        self._connect([source for source in sources if source.address not in self._connections])
        done = False
        try:
            for source in sources:
                self._ask(source, number)
            values = [self._receive(source) for source in sources]
            done = True
            return values
        finally:
            if not done:
                # Answers to these requests may still come.
                self.close()

    def _drop_closed(self, addresses: Iterable[Address]) -> None:
        """Forgets connections that the other end has closed since they were used."""
        for address in addresses:
            connection = self._connections.get(address)
            if connection is not None and connection.has_ended():
                self._connections.pop(address).close()

    def _connect(self, sources: Sequence[Publisher]) -> None:
        by_address = {source.address: source for source in sources}
        if not by_address:
            return
        with ThreadPoolExecutor(_CONNECTS, "connect") as threads:
            calls = {a: threads.submit(self._call, source) for a, source in by_address.items()}
        # Open connections are stored before a failure is raised, so that `close` can end them.
        self._connections |= {a: call.result() for a, call in calls.items() if call.exception() is None}
        for call in calls.values():
            call.result()

    def _call(self, source: Publisher) -> Connection:
        try:
            return connect(source.address, self._secret, source.rank, _CONNECT_SECONDS)
        except OSError as error:
            raise _unreachable(source, error) from error

    def _ask(self, source: Publisher, number: int) -> None:
        try:
            self._connections[source.address].send(_REQUEST.pack(number, source.rank), _STALL_SECONDS)
        except OSError as error:
            raise _unreachable(source, error) from error

    def _receive(self, source: Publisher) -> bytes:
        wait = VALUE_SECONDS + _STALL_SECONDS
        try:
            value = bytes(self._connections[source.address].receive(_STALL_SECONDS, first=wait))
        except OSError as error:
            raise _unreachable(source, error) from error
        if not value:
            raise PeerError(f"{_name(source)} published nothing")
        return value


def _unreachable(source: Publisher, error: OSError) -> PeerError:
    return PeerError(f"{_name(source)} cannot be reached ({error})")


def _name(source: Publisher) -> str:
    host, port = source.address
    return f"worker {source.rank} at {host}:{port}"
