"""Messages over TCP between the coordinator and its workers, or two workers: authenticated, bounded in time.

Both ends know a secret of this run. They prove it by a keyed hash of two fresh nonces before anything else is
read. Messages are neither encrypted nor signed: the network itself has to be trusted. A message is its length
in eight bytes, then its bytes. Nothing is ever unpickled.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress

from deepprove_dist.execution.network.address import Address

NONCE_BYTES = 32
_LENGTH = struct.Struct("<Q")
#: Longer messages are sent after their length: to join the two would copy the message.
_SHORT = 1 << 16
_PROOF_BYTES = 32
_HANDSHAKE = struct.Struct(f"<Q{NONCE_BYTES}s{_PROOF_BYTES}s")
_LISTENER, _CALLER = b"listener", b"caller"

#: A machine that is silent for six seconds counts as lost; a busy one answers these probes.
_PROBES = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 4}


class Connection:
    """One end; `send` and `receive` raise OSError when the other end is gone or too slow."""

    def __init__(self, sock: socket.socket) -> None:
        # A message of several packets would otherwise wait for an acknowledgement before its last one.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _PROBES.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._socket = sock

    def fileno(self) -> int:
        """For selectors: readable when a message, or the end, has come."""
        return self._socket.fileno()

    def send(self, message: bytes, timeout: float | None) -> None:
        """Sends a message; the other end has to take some of it every so many seconds."""
        self.send_pieces([message], timeout)

    def send_pieces(self, pieces: Sequence[bytes], timeout: float | None) -> None:
        """The same of a message that is these pieces, one after the other."""
        self._socket.settimeout(timeout)
        length = sum(map(len, pieces))
        header = _LENGTH.pack(length)
        if length < _SHORT:
            self._write(header + b"".join(pieces))
        else:
            for piece in (header, *pieces):
                self._write(piece)

    def receive(
        self, timeout: float | None, most: int | None = None, first: float | None = None
    ) -> bytearray:
        """The next message, of at most so many bytes; each piece has to come within so many seconds.

        The first piece has `first` seconds, if they are given.
        """
        self._socket.settimeout(timeout if first is None else first)
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if most is not None and length > most:
            raise ConnectionError("a message longer than expected")
        self._socket.settimeout(timeout)
        return self._read(length)

    def has_ended(self) -> bool:
        """Whether the other end has closed, or sends bytes without a request."""
        self._socket.settimeout(0.0)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def shut_down(self) -> None:
        """Ends the connection under a thread that waits for it; `close` is left to that thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the connection; the other end sees it."""
        self._socket.close()

    def _write(self, content: bytes) -> None:
        # `sendall` would bound the whole message: a long one takes its time.
        remaining = memoryview(content)
        while remaining:
            remaining = remaining[self._socket.send(remaining) :]

    def _read(self, length: int) -> bytearray:
        try:
            content = bytearray(length)
        except (MemoryError, OverflowError) as error:
            raise ConnectionError(f"a message of {length} bytes") from error
        missing = memoryview(content)
        while missing:
            count = self._socket.recv_into(missing)
            if count == 0:
                raise ConnectionError("the connection was closed")
            missing = missing[count:]
        return content


def listen(host: str) -> socket.socket:
    """A listening socket on any free port of one address of this machine."""
    return socket.create_server((host, 0), backlog=128)


def accept(listener: socket.socket, secret: bytes, timeout: float) -> tuple[int, Connection]:
    """A caller's connection and the number that it gives itself, within so many seconds.

    Raises OSError: TimeoutError without a caller, ConnectionError for one that does not know the secret.
    """
    listener.settimeout(timeout)
    return handshake(listener.accept()[0], secret, timeout)


def handshake(caller: socket.socket, secret: bytes, timeout: float) -> tuple[int, Connection]:
    """The same for a caller that has connected, but has not sent anything yet."""
    connection = Connection(caller)
    try:
        challenge = secrets.token_bytes(NONCE_BYTES)
        connection.send(challenge, timeout)
        reply = connection.receive(timeout, most=_HANDSHAKE.size)
        if len(reply) != _HANDSHAKE.size:
            raise ConnectionError("not a handshake")
        number, nonce, proof = _HANDSHAKE.unpack(reply)
        _require(proof, _proof(secret, _CALLER, challenge, nonce, number))
        connection.send(_proof(secret, _LISTENER, challenge, nonce, number), timeout)
        return number, connection
    except OSError:
        connection.close()
        raise


def connect(address: Address, secret: bytes, number: int, timeout: float) -> Connection:
    """A connection to a listener, under the caller's own number.

    Raises OSError: ConnectionError where the other end does not know the secret.
    """
    connection = Connection(socket.create_connection(address, timeout))
    try:
        challenge = bytes(connection.receive(timeout, most=NONCE_BYTES))
        nonce = secrets.token_bytes(NONCE_BYTES)
        proof = _proof(secret, _CALLER, challenge, nonce, number)
        connection.send(_HANDSHAKE.pack(number, nonce, proof), timeout)
        answer = connection.receive(timeout, most=_PROOF_BYTES)
        _require(answer, _proof(secret, _LISTENER, challenge, nonce, number))
        return connection
    except OSError:
        connection.close()
        raise


def _proof(secret: bytes, role: bytes, challenge: bytes, nonce: bytes, number: int) -> bytes:
    # The role tells the two answers apart, so that neither end can be made to answer itself.
    return hmac.digest(secret, role + challenge + nonce + _LENGTH.pack(number), "sha256")


def _require(proof: bytes | bytearray, expected: bytes) -> None:
    if not hmac.compare_digest(proof, expected):
        raise ConnectionError("the other end does not know this run's secret")
