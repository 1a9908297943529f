"""Values between processes over sockets: who may have them, how large they may be, and who is missed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from deepprove_dist.errors import PeerError, WorkerLost
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.executor import WorkerDescription
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.network.address import Address, Publisher
from deepprove_dist.execution.network.connection import connect
from deepprove_dist.execution.network.peers import Peers, PeerServer
from deepprove_dist.execution.workers.published_values import PublishedValues
from deepprove_dist.execution.workers.worker import WorkerFactory
from deepprove_dist.execution.workers.worker_process import WorkerProcess, pack_message, unpack_message
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_OUT
from tests.execution.dummy import Dummy, counts_by_round, dummy, worker_of

SECRET = b"s" * 32
HERE = "127.0.0.1"


@contextmanager
def server(*values: bytes, find: Callable[[int, int], bytes | None] | None = None) -> Iterator[PeerServer]:
    """Publishes these values in all-gather 3, for ranks 0, 1, ..."""
    by_name = {(3, rank): value for rank, value in enumerate(values)}
    find = find or (lambda number, rank: by_name.get((number, rank)))
    with closing(PeerServer(HERE, SECRET, find)) as serving:
        yield serving


def fetch_all(secret: bytes, sources: Sequence[Publisher]) -> list[bytes]:
    with closing(Peers(secret)) as peers:
        return peers.fetch(3, sources)


def test_values_come_in_the_order_asked_for() -> None:
    values = [bytes([size]) * (size + 1) for size in range(20)]
    with server(*values[::2]) as one, server(*values[1::2]) as other:
        addresses = [one.address, other.address]
        sources = [Publisher(index // 2, addresses[index % 2]) for index in range(20)]
        assert fetch_all(SECRET, sources) == values


def test_large_values_move_to_several_at_once() -> None:
    value = os.urandom(20_000_000)
    with server(value) as serving, ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(fetch_all, SECRET, [Publisher(0, serving.address)]) for _ in range(3)]
        assert all(call.result(30) == [value] for call in calls)


def test_a_value_that_is_not_there_yet_is_waited_for() -> None:
    published = PublishedValues()

    def find(number: int, rank: int) -> bytes | None:
        asked.set()
        return published.find(number, 30.0)

    asked = Event()
    with server(find=find) as serving, ThreadPoolExecutor(1) as threads:
        call = threads.submit(fetch_all, SECRET, [Publisher(0, serving.address)])
        assert asked.wait(30)
        published.publish(1, 3, b"value")
        assert call.result(30) == [b"value"]


def test_unknown_clients_get_nothing_and_hold_nobody_up() -> None:
    with server(b"value") as serving:
        with socket.create_connection(serving.address), socket.create_connection(serving.address) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(PeerError, match=r"worker 0 at 127\.0\.0\.1:\d+ cannot be reached"):
                fetch_all(b"x" * 32, [Publisher(0, serving.address)])
            begin = time.monotonic()
            assert fetch_all(SECRET, [Publisher(0, serving.address)]) == [b"value"]
            assert time.monotonic() - begin < 2
        for request in (b"no request of sixteen bytes, but more", b"or less"):
            with closing(connect(serving.address, SECRET, 0, 2.0)) as friend:
                friend.send(request, 2.0)
                with pytest.raises(OSError, match=r"closed|reset"):
                    friend.receive(2.0)


@pytest.mark.parametrize(("number", "rank"), [(3, 1), (4, 0)])
def test_a_value_that_is_not_given_names_the_worker(number: int, rank: int) -> None:
    with (
        server(b"value") as serving,
        closing(Peers(SECRET)) as peers,
        pytest.raises(PeerError, match=f"worker {rank} .* published nothing"),
    ):
        peers.fetch(number, [Publisher(rank, serving.address)])


def test_a_server_that_is_gone_is_missed_at_once() -> None:
    with server(b"value") as serving:
        address = serving.address
    begin = time.monotonic()
    with pytest.raises(PeerError, match="worker 0"):
        fetch_all(SECRET, [Publisher(0, address)])
    assert time.monotonic() - begin < 2


def test_connections_stay_open() -> None:
    with server(b"one", b"two") as serving, closing(Peers(SECRET)) as peers:
        for _ in range(3):
            sources = [Publisher(rank, serving.address) for rank in (1, 0, 1)]
            assert peers.fetch(3, sources) == [b"two", b"one", b"two"]
        assert len(serving._peers) == 1


def test_a_peer_that_left_is_called_again() -> None:
    with closing(Peers(SECRET)) as peers:
        with server(b"value") as serving:
            gone = Publisher(0, serving.address)
            assert peers.fetch(3, [gone]) == [b"value"]
        with pytest.raises(PeerError, match="cannot be reached"):
            peers.fetch(3, [gone])
        with server(b"value") as serving:
            assert peers.fetch(3, [Publisher(0, serving.address)]) == [b"value"]


def test_peers_that_were_reached_stay_when_another_is_not() -> None:
    with server(b"value") as serving, closing(Peers(SECRET)) as peers:
        with server(b"gone") as other:
            gone = other.address
        with pytest.raises(PeerError, match="cannot be reached"):
            peers.fetch(3, [Publisher(0, gone), Publisher(0, serving.address)])
        assert set(peers._connections) == {serving.address}
        assert peers.fetch(3, [Publisher(0, serving.address)]) == [b"value"]


def test_a_failure_leaves_no_answers() -> None:
    with server(b"value", b"long" * 1000) as serving, closing(Peers(SECRET)) as peers:
        with pytest.raises(PeerError, match="published nothing"):
            peers.fetch(3, [Publisher(2, serving.address), Publisher(1, serving.address)])
        assert peers.fetch(3, [Publisher(0, serving.address)]) == [b"value"]


class Processes:
    """Worker processes in threads of this one, over sockets; those in `dead` are lost until replaced."""

    def __init__(self, ranks: int, worker: WorkerFactory = dummy) -> None:
        self._worker = worker
        self._processes: list[WorkerProcess] = []
        self._addresses: list[Address] = []
        self.dead: set[int] = set()
        for _ in range(ranks):
            self._start()

    def _start(self) -> None:
        process = WorkerProcess(1, self._worker)
        self._addresses.append(process.serve_peers(HERE, SECRET))
        self._processes.append(process)

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        return tuple(WorkerDescription("a thread", 1) for _ in self._processes)

    @property
    def peers(self) -> Mapping[int, Address]:
        return dict(enumerate(self._addresses))

    def prepare(self, ranks: Collection[int]) -> None:
        """Nothing takes time here."""

    def kill(self, rank: int) -> None:
        self._processes[rank].close()
        self.dead.add(rank)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        alive = {rank: request for rank, request in requests.items() if rank not in self.dead}
        with ThreadPoolExecutor(len(self._processes)) as threads:
            calls = {
                rank: threads.submit(self._processes[rank].handle, b"".join(pack_message({rank: request})))
                for rank, request in alive.items()
            }
            answers = {rank: unpack_message(call.result(60))[rank] for rank, call in calls.items()}
        answers = {rank: answer for rank, answer in answers.items() if rank not in self.dead}
        if len(answers) < len(requests):
            raise WorkerLost(dict.fromkeys(set(requests) - set(answers), "killed"), answers)
        return answers

    def distribute(self, path: Path, digest: bytes) -> None:
        """These workers need no files."""

    def replace(self, rank: int) -> None:
        self._processes[rank].close()
        self._start()
        self._processes[rank], self._addresses[rank] = self._processes.pop(), self._addresses.pop()
        self.dead.discard(rank)

    def move(self, rank: int) -> None:
        self.replace(rank)

    def close(self) -> None:
        for process in self._processes:
            process.close()


def work(group: WorkerGroup, kill: Callable[[int], None]) -> list[int]:
    """Three all-gathers of 5 MB from each rank; `kill` is called before each of them."""
    group.call_all(Dummy.resize, size=5_000_000)
    group.call({rank: Call.to(Dummy.load, number=10 * rank) for rank in group.ranks})
    answers: list[int] = []
    with group.proof():
        for step in range(3):
            group.call_all(Dummy.add, number=1)
            kill(step)
            answers += group.all_gather(Dummy.give, Dummy.take, weight=1)
    return answers


@pytest.mark.parametrize("killed", [None, 1])
def test_processes_share_over_sockets(killed: int | None) -> None:
    expected = work(WorkerGroup(InProcessExecutor(4, dummy, peers=False)), lambda step: None)
    with closing(Processes(4)) as processes, recording(Trace()) as trace:
        group = WorkerGroup(processes)
        assert work(group, lambda step: processes.kill(2) if step == killed else None) == expected
    # Where a rank was lost the others fetched nothing, and all had it from the coordinator.
    ways = [
        (min(counts[BYTES_FETCHED] for counts in ranks), max(counts[BYTES_OUT] for counts in ranks))
        for ranks in counts_by_round(trace, "take")
    ]
    by_peers = [fetched > 15_000_000 and size < 1000 for fetched, size in ways]
    assert by_peers == ([True] * 3 if killed is None else [True, False, False, True])
    assert killed is None or ways[2][1] > 20_000_000


def test_a_peer_that_dies_while_others_wait_for_what_it_gives() -> None:
    expected = work(WorkerGroup(InProcessExecutor(4, dummy, peers=False)), lambda step: None)

    class Dying(Dummy):
        def give(self) -> bytes:
            if self.rank == 3 and not killed:
                killed.append(3)
                processes.kill(3)
            return super().give()

    killed: list[int] = []
    with closing(Processes(4, partial(worker_of, Dying))) as processes:
        assert work(WorkerGroup(processes), lambda step: None) == expected
    assert killed == [3]
