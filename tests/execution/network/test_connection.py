"""Messages over TCP: who may speak, how long one waits, and what comes through."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from deepprove_dist.execution.network.connection import Connection, accept, connect, listen

SECRET = b"s" * 32


@contextmanager
def pair(theirs: bytes = SECRET) -> Iterator[tuple[int, Connection, Connection]]:
    """The number that the worker's end gave, the coordinator's end and the worker's end."""
    with listen("127.0.0.1") as listener, ThreadPoolExecutor(1) as threads:
        worker = threads.submit(connect, listener.getsockname(), theirs, 7, 2.0)
        number, end = accept(listener, SECRET, 2.0)
        other = worker.result(2.0)
        yield number, end, other
        end.close()
        other.close()


@pytest.mark.parametrize("size", [0, 1, 1000, 1 << 16, 5_000_001])
def test_messages_arrive_whole(size: int) -> None:
    message = os.urandom(size)
    with pair() as (number, end, other), ThreadPoolExecutor(1) as threads:
        assert number == 7
        for a, b in ((end, other), (other, end)):
            sent = threads.submit(a.send, message, 5.0)
            assert b.receive(5.0) == message
            sent.result(5.0)


@pytest.mark.parametrize("size", [0, 10, 1 << 16])
def test_pieces_arrive_as_one_message(size: int) -> None:
    pieces = [b"head", os.urandom(size), b"", os.urandom(size)]
    with pair() as (_, end, other), ThreadPoolExecutor(1) as threads:
        sent = threads.submit(end.send_pieces, pieces, 5.0)
        assert other.receive(5.0) == b"".join(pieces)
        sent.result(5.0)


def test_a_wrong_secret_is_refused_by_both_ends() -> None:
    with listen("127.0.0.1") as listener, ThreadPoolExecutor(1) as threads:
        worker = threads.submit(connect, listener.getsockname(), b"x" * 32, 7, 2.0)
        with pytest.raises(ConnectionError, match="secret"):
            accept(listener, SECRET, 2.0)
        with pytest.raises(OSError, match=r"closed|reset"):
            worker.result(3.0)


def test_a_coordinator_without_the_secret_is_refused() -> None:
    def impostor(listener: socket.socket) -> None:
        end = Connection(listener.accept()[0])
        end.send(b"c" * 32, 2.0)
        end.receive(2.0)
        end.send(b"p" * 32, 2.0)

    with listen("127.0.0.1") as listener, ThreadPoolExecutor(1) as threads:
        threads.submit(impostor, listener)
        with pytest.raises(ConnectionError, match="secret"):
            connect(listener.getsockname(), SECRET, 7, 2.0)


@pytest.mark.parametrize("greeting", [b"", b"GET / HTTP/1.1\r\n\r\n", struct.pack("<Q", 1 << 62)])
def test_unknown_clients_are_turned_away_in_time(greeting: bytes) -> None:
    with listen("127.0.0.1") as listener, socket.create_connection(listener.getsockname()) as client:
        client.sendall(greeting)
        begin = time.monotonic()
        with pytest.raises(OSError, match=r"longer|timed out|greeting"):
            accept(listener, SECRET, 0.3)
        assert time.monotonic() - begin < 2


def test_nobody_is_waited_for_forever() -> None:
    with listen("127.0.0.1") as listener, pytest.raises(TimeoutError):
        accept(listener, SECRET, 0.1)
    with pair() as (_, end, _other):
        with pytest.raises(TimeoutError):
            end.receive(0.1)
        with pytest.raises(TimeoutError):
            end.send(bytes(50_000_000), 0.1)


def test_an_end_is_seen_by_the_other() -> None:
    with pair() as (_, end, other):
        other.close()
        with pytest.raises(ConnectionError):
            end.receive(1.0)


def test_an_absurd_length_is_refused() -> None:
    with pair() as (_, end, other):
        other._socket.sendall(struct.pack("<Q", (1 << 64) - 1))
        with pytest.raises(ConnectionError):
            end.receive(1.0)
