"""Links between processes: this package's sockets, ZeroMQ, and ZeroMQ with CURVE encryption.

Measures a round trip of a small call, a transfer of a large value, and an all-gather among four processes.
All are on one machine, and medians. `python -m benchmarks.links` prints a table; it needs
`pip install pyzmq`. The results are in docs/decisions/0020-own-sockets.md.
"""

from __future__ import annotations

import multiprocessing
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from threading import Thread
from typing import Any, Protocol

import zmq

from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.connection import Connection, accept, connect, listen

HERE = "127.0.0.1"
SMALL, LARGE = 1 << 10, 1 << 24
PEERS, SHARE = 4, 1 << 22
ROUNDS, TRANSFERS = 3000, 30
TIMEOUT = 30.0


class Link(Protocol):
    """One end of a link: messages to the other end and from it."""

    def send(self, message: bytes) -> None:
        """Sends a message."""

    def receive(self) -> bytes | bytearray | memoryview:
        """Waits for a message."""


@dataclass(frozen=True)
class SocketLink:
    """A connection of this package."""

    connection: Connection

    def send(self, message: bytes) -> None:
        """See `Link`."""
        self.connection.send(message, TIMEOUT)

    def receive(self) -> bytes | bytearray:
        """See `Link`."""
        return self.connection.receive(TIMEOUT)


@dataclass(frozen=True)
class ZeroMqLink:
    """A pair of ZeroMQ sockets."""

    socket: Any

    def send(self, message: bytes) -> None:
        """See `Link`."""
        self.socket.send(message, copy=len(message) < 1 << 16)

    def receive(self) -> bytes | memoryview:
        """See `Link`."""
        frame: zmq.Frame = self.socket.recv(copy=False)
        message: bytes | memoryview = frame.buffer if len(frame) >= 1 << 16 else frame.bytes
        return message


class Kind(Protocol):
    """A kind of link: what listens, and what connects to it from another process."""

    def listener(self) -> tuple[Any, Callable[[], Link]]:
        """What another process needs to connect, and what then accepts one caller."""

    def caller(self, address: Any) -> Link:
        """A link to what listens there."""


@dataclass(frozen=True)
class Sockets:
    """This package's sockets: a handshake that proves a secret, no encryption."""

    secret: bytes

    def listener(self) -> tuple[Any, Callable[[], Link]]:
        """See `Kind`."""
        listener = listen(HERE)
        return listener.getsockname()[1], lambda: SocketLink(accept(listener, self.secret, TIMEOUT)[1])

    def caller(self, address: Any) -> Link:
        """See `Kind`."""
        return SocketLink(connect(Address(HERE, address), self.secret, 0, TIMEOUT))


@dataclass(frozen=True)
class ZeroMq:
    """ZeroMQ's pair sockets; with the keys of both ends, encrypted and authenticated by CURVE."""

    server: tuple[bytes, bytes] | None = None
    client: tuple[bytes, bytes] | None = None

    def listener(self) -> tuple[Any, Callable[[], Link]]:
        """See `Kind`."""
        socket: Any = zmq.Context.instance().socket(zmq.PAIR)
        if self.server is not None:
            socket.curve_publickey, socket.curve_secretkey = self.server
            socket.curve_server = True
        port = socket.bind_to_random_port(f"tcp://{HERE}")
        return port, lambda: ZeroMqLink(socket)

    def caller(self, address: Any) -> Link:
        """See `Kind`."""
        socket: Any = zmq.Context.instance().socket(zmq.PAIR)
        if self.server is not None and self.client is not None:
            socket.curve_publickey, socket.curve_secretkey = self.client
            socket.curve_serverkey = self.server[0]
        socket.connect(f"tcp://{HERE}:{address}")
        return ZeroMqLink(socket)


def _answer(kind: Kind, address: Any) -> None:
    """The other end: sends back one byte of what it gets, or as many as a small message asks for."""
    link = kind.caller(address)
    while True:
        message = bytes(link.receive()[:16])
        if message.startswith(b"end"):
            return
        size = int(message) if message[:1].isdigit() else 1
        link.send(bytes(size))


@contextmanager
def other_end(kind: Kind) -> Iterator[Link]:
    """A link to another process that answers."""
    address, accept_one = kind.listener()
    process = multiprocessing.get_context("spawn").Process(target=_answer, args=(kind, address), daemon=True)
    process.start()
    link = accept_one()
    try:
        yield link
    finally:
        link.send(b"end")
        process.join(TIMEOUT)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median time of some work, after a tenth of it to warm up."""
    times = []
    for count in range(repeats + repeats // 10):
        start = time.perf_counter()
        work()
        if count >= repeats // 10:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def call(link: Link, message: bytes) -> None:
    """Sends a message and waits for the answer."""
    link.send(message)
    link.receive()


def round_trip(link: Link) -> float:
    """Seconds of a call of 1 KB and its answer of 1 KB."""
    return seconds(lambda: call(link, str(SMALL).encode().ljust(SMALL)), ROUNDS)


def transfer(link: Link) -> float:
    """Seconds of a call of 16 MB and an answer of one byte."""
    value = b"x" * LARGE
    return seconds(lambda: call(link, value), TRANSFERS)


def _gather(kind: Kind, rank: int, pipe: Pipe) -> None:
    """One of the processes of an all-gather: has a link to each other one, and a thread for each."""
    listeners = [kind.listener() for _ in range(PEERS)]
    pipe.send([address for address, _ in listeners])
    addresses: list[list[Any]] = pipe.recv()
    others = [peer for peer in range(PEERS) if peer != rank]
    for peer in others:
        Thread(target=_serve, args=(listeners[peer][1], bytes([rank]) * SHARE), daemon=True).start()
    callers = {peer: kind.caller(addresses[peer][rank]) for peer in others}

    def fetch() -> None:
        for link in callers.values():
            link.send(b"get")
        for peer, link in callers.items():
            assert bytes(link.receive()[:1]) == bytes([peer])

    while pipe.recv():
        fetch()
        pipe.send(True)


def _serve(accept_one: Callable[[], Link], value: bytes) -> None:
    link = accept_one()
    while True:
        link.receive()
        link.send(value)


def all_gather(kind: Kind) -> float:
    """Seconds until each of four processes has 4 MB of each of the others."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for rank in range(PEERS):
        here, there = context.Pipe()
        process = context.Process(target=_gather, args=(kind, rank, there), daemon=True)
        process.start()
        pipes.append(here)
        processes.append(process)
    addresses = [pipe.recv() for pipe in pipes]
    for pipe in pipes:
        pipe.send(addresses)

    def gather() -> None:
        for pipe in pipes:
            pipe.send(True)
        for pipe in pipes:
            pipe.recv()

    elapsed = seconds(gather, TRANSFERS)
    for process in processes:
        process.kill()
    return elapsed


def main() -> None:
    """Prints a row for each kind of link."""
    keys = zmq.curve_keypair(), zmq.curve_keypair()
    kinds: dict[str, Kind] = {
        "sockets": Sockets(secrets.token_bytes(32)),
        "zmq": ZeroMq(),
        "zmq, CURVE": ZeroMq(*keys),
    }
    print(f"{'link':12} {'1 KB (us)':>10} {'16 MB (ms)':>11} {'all-gather (ms)':>16}")
    for name, kind in kinds.items():
        with other_end(kind) as link:
            times = round_trip(link), transfer(link)
        gathered = all_gather(kind)
        print(f"{name:12} {1e6 * times[0]:10.1f} {1e3 * times[1]:11.2f} {1e3 * gathered:16.2f}")


if __name__ == "__main__":
    main()
