"""Values between processes over sockets: who may have them, how large they may be, and who is missed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from deepprove_dist.errors import PeerError, WorkerLost
from deepprove_dist.execution.cluster.connection import Address, connect
from deepprove_dist.execution.cluster.peers import Peers, PeerServer
from deepprove_dist.execution.crew import Crew
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.host import Host, pack_message, unpack_message
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.profile import Profile
from deepprove_dist.execution.sharing import Mark, Source
from tests.execution.dummy import Dummy

SECRET = b"s" * 32
HERE = "127.0.0.1"


@contextmanager
def server(*values: bytes, find: Callable[[bytes], bytes | None] | None = None) -> Iterator[PeerServer]:
    by_digest = {Mark.of(value).digest: value for value in values}
    with closing(PeerServer(HERE, SECRET, find or by_digest.get)) as serving:
        yield serving


def fetch_all(secret: bytes, sources: Sequence[Source]) -> list[bytes]:
    with closing(Peers(secret)) as peers:
        return peers.fetch(sources)


def source(value: bytes, address: Address) -> Source:
    return Source(Mark.of(value), 7, address)


def test_values_come_in_the_order_asked_for() -> None:
    values = [bytes([each]) * (each + 1) for each in range(20)]
    with server(*values[::2]) as one, server(*values[1::2]) as other:
        addresses = [one.address, other.address]
        sources = [source(value, addresses[place % 2]) for place, value in enumerate(values)]
        assert fetch_all(SECRET, sources) == values


def test_large_values_move_to_several_at_once() -> None:
    value = os.urandom(20_000_000)
    with server(value) as serving, ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(fetch_all, SECRET, [source(value, serving.address)]) for _ in range(3)]
        assert all(call.result(30) == [value] for call in calls)


def test_strangers_get_nothing_and_hold_nobody_up() -> None:
    with server(b"value") as serving:
        with socket.create_connection(serving.address), socket.create_connection(serving.address) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(PeerError, match=r"worker 7 at 127\.0\.0\.1:\d+ cannot be reached"):
                fetch_all(b"x" * 32, [source(b"value", serving.address)])
            begin = time.monotonic()
            assert fetch_all(SECRET, [source(b"value", serving.address)]) == [b"value"]
            assert time.monotonic() - begin < 2
        with closing(connect(serving.address, SECRET, 0, 2.0)) as friend:
            friend.send(b"no digest of thirty-two bytes, but more than that", 2.0)
            with pytest.raises(OSError, match=r"closed|reset"):
                friend.receive(2.0)


def test_a_value_that_is_not_kept_names_the_worker() -> None:
    with server(b"value") as serving, pytest.raises(PeerError, match=r"worker 7 .* does not keep"):
        fetch_all(SECRET, [source(b"other", serving.address)])


@pytest.mark.parametrize(("given", "match"), [(b"felse", "other bytes"), (b"longer", "longer")])
def test_other_bytes_name_the_worker(given: bytes, match: str) -> None:
    with (
        server(find=lambda digest: given) as serving,
        pytest.raises(PeerError, match=f"worker 7 .* {match}"),
    ):
        fetch_all(SECRET, [source(b"value", serving.address)])


def test_a_server_that_is_gone_is_missed_at_once() -> None:
    with server(b"value") as serving:
        address = serving.address
    begin = time.monotonic()
    with pytest.raises(PeerError, match="worker 7"):
        fetch_all(SECRET, [source(b"value", address)])
    assert time.monotonic() - begin < 2


def test_connections_stay_open() -> None:
    with server(b"one", b"two") as serving, closing(Peers(SECRET)) as peers:
        for _ in range(3):
            sources = [source(value, serving.address) for value in (b"two", b"one", b"two")]
            assert peers.fetch(sources) == [b"two", b"one", b"two"]
        assert len(serving._peers) == 1


def test_a_peer_that_left_is_called_again() -> None:
    with closing(Peers(SECRET)) as peers:
        with server(b"value") as serving:
            host, port = serving.address
            assert peers.fetch([source(b"value", (host, port))]) == [b"value"]
        with pytest.raises(PeerError, match="cannot be reached"):
            peers.fetch([source(b"value", (host, port))])
        with server(b"value") as serving:
            assert peers.fetch([source(b"value", serving.address)]) == [b"value"]


def test_peers_that_were_reached_stay_when_another_is_not() -> None:
    with server(b"value") as serving, closing(Peers(SECRET)) as peers:
        with server(b"gone") as other:
            gone = other.address
        with pytest.raises(PeerError, match="cannot be reached"):
            peers.fetch([source(b"gone", gone), source(b"value", serving.address)])
        assert set(peers._connections) == {serving.address}
        assert peers.fetch([source(b"value", serving.address)]) == [b"value"]


def test_a_failure_leaves_no_answers_behind() -> None:
    with server(b"value", b"long" * 1000) as serving, closing(Peers(SECRET)) as peers:
        wanted = [source(each, serving.address) for each in (b"missing", b"long" * 1000)]
        with pytest.raises(PeerError, match="does not keep"):
            peers.fetch(wanted)
        assert peers.fetch([source(b"value", serving.address)]) == [b"value"]


class Hosts:
    """Hosts in threads of this process that meet over sockets; those in `dead` are lost until replaced."""

    def __init__(self, seats: int) -> None:
        self._hosts: list[Host] = []
        self._addresses: list[Address] = []
        self.dead: set[int] = set()
        for _ in range(seats):
            self._start()

    def _start(self) -> None:
        host = Host(1, Dummy)
        self._addresses.append(host.meet(HERE, SECRET))
        self._hosts.append(host)

    @property
    def seats(self) -> tuple[WorkerDescription, ...]:
        return tuple(WorkerDescription("a thread", 1) for _ in self._hosts)

    @property
    def peers(self) -> Mapping[int, Address]:
        return dict(enumerate(self._addresses))

    def kill(self, seat: int) -> None:
        self._hosts[seat].close()
        self.dead.add(seat)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        alive = {seat: request for seat, request in requests.items() if seat not in self.dead}
        with ThreadPoolExecutor(len(self._hosts)) as threads:
            calls = {
                seat: threads.submit(self._hosts[seat].handle, pack_message({seat: request}))
                for seat, request in alive.items()
            }
            answers = {seat: unpack_message(call.result(60))[seat] for seat, call in calls.items()}
        if len(answers) < len(requests):
            raise WorkerLost(dict.fromkeys(set(requests) - set(answers), "killed"), answers)
        return answers

    def distribute(self, path: Path, digest: bytes) -> None:
        """These workers need no files."""

    def replace(self, seat: int) -> None:
        self._hosts[seat].close()
        self._start()
        self._hosts[seat], self._addresses[seat] = self._hosts.pop(), self._addresses.pop()
        self.dead.discard(seat)

    def move(self, seat: int) -> None:
        self.replace(seat)

    def close(self) -> None:
        for host in self._hosts:
            host.close()


def work(crew: Crew, kill: Callable[[int], None]) -> list[int]:
    """Three exchanges of 5 MB from each seat; `kill` is called before each of them."""
    crew.call_all("resize", size=5_000_000)
    crew.call("load", {seat: {"number": 10 * seat} for seat in range(crew.size)})
    answers: list[int] = []
    with crew.proof():
        for step in range(3):
            crew.call_all("add", number=1)
            kill(step)
            answers += crew.exchange("give", "take", range(crew.size), {"weight": 1}).values()
    return answers


@pytest.mark.parametrize("killed", [None, 1])
def test_hosts_share_over_sockets(killed: int | None) -> None:
    expected = work(Crew(InProcessExecutor(4, worker=Dummy, peers=False)), lambda step: None)
    profile = Profile()
    with closing(Hosts(4)) as hosts:
        crew = Crew(hosts, profile=profile)
        assert work(crew, lambda step: hosts.kill(2) if step == killed else None) == expected
    taken = [share for each in profile.rounds if each.method == "take" for share in each.shares.values()]
    assert len(taken) == 12
    assert all(share.fetched > 15_000_000 and share.bytes_out < 1000 for share in taken)


def test_a_peer_that_dies_between_keeping_and_giving() -> None:
    expected = work(Crew(InProcessExecutor(4, worker=Dummy, peers=False)), lambda step: None)

    class Dying(Hosts):
        def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
            if any(b"\xa4take" in request[:20] for request in requests.values()) and not self.done:
                self.done = True
                self.kill(3)
            return super().call(requests)

        done = False

    with closing(Dying(4)) as hosts:
        assert work(Crew(hosts), lambda step: None) == expected
        assert hosts.done
