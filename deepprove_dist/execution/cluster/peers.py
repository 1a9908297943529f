"""Workers fetch from each other what they keep: every process answers whoever knows the run's secret.

A caller sends a digest and gets the value that has it, or an empty message; values are never empty. Strangers
and slow callers cost a thread of a few for a bounded time; whoever calls meanwhile waits for its turn.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from threading import Thread

from deepprove_dist.errors import PeerError
from deepprove_dist.execution.cluster.connection import Address, connect, greet, listen
from deepprove_dist.execution.sharing import Mark, Source

_CONNECT_SECONDS = 10.0
#: Between two pieces of a value, its first one included.
_STALL_SECONDS = 30.0
_SEND_SECONDS = 120.0
_CALLERS, _CALLS = 8, 4
_DIGEST_BYTES = 32


class PeerServer:
    """Hands out on one address of this machine what `find` finds; `find` is called from other threads."""

    def __init__(self, host: str, secret: bytes, find: Callable[[bytes], bytes | None]) -> None:
        self._listener = listen(host)
        self.address: Address = (host, self._listener.getsockname()[1])
        self._secret = secret
        self._find = find
        self._callers = ThreadPoolExecutor(_CALLERS, "peer")
        Thread(target=self._serve, name="peers", daemon=True).start()

    def close(self) -> None:
        """Takes no more callers."""
        # Closing alone does not wake the thread that accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._callers.shutdown(wait=False)

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
                self._callers.submit(self._answer, caller)
            except ConnectionError:  # a caller who left before its turn
                continue
            except (OSError, RuntimeError):  # closed
                return

    def _answer(self, caller: socket.socket) -> None:
        with suppress(OSError):
            _, connection = greet(caller, self._secret, _CONNECT_SECONDS)
            with closing(connection):
                digest = connection.receive(_CONNECT_SECONDS, most=_DIGEST_BYTES)
                connection.send(self._find(bytes(digest)) or b"", _SEND_SECONDS)


def fetch_all(secret: bytes, sources: Sequence[Source]) -> list[bytes]:
    """The values of sources, some at once, in their order. Raises PeerError for the first that gave none."""
    with ThreadPoolExecutor(_CALLS, "fetch") as threads:
        return list(threads.map(partial(_fetch, secret), sources))


def _fetch(secret: bytes, source: Source) -> bytes:
    host, port = source.address
    name = f"worker {source.seat} at {host}:{port}"
    try:
        with closing(connect(source.address, secret, source.seat, _CONNECT_SECONDS)) as connection:
            connection.send(source.mark.digest, _STALL_SECONDS)
            value = bytes(connection.receive(_STALL_SECONDS, most=source.mark.size))
    except OSError as error:
        raise PeerError(f"{name} cannot be reached ({error})") from error
    if Mark.of(value) != source.mark:
        raise PeerError(
            f"{name} gave other bytes than it said" if value else f"{name} does not keep the value"
        )
    return value
