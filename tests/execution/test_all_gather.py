"""What ranks share: same answers by whatever way it goes, and whoever is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ClassVar

import pytest

from deepprove_dist.errors import ExecutionError, PeerError, WorkerError, WorkerLost
from deepprove_dist.execution.all_gather import PublishedValues, Publisher, ValueDigest
from deepprove_dist.execution.cluster_backend import load_cluster_key
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.messages import encode_answer, encode_error, encode_value
from deepprove_dist.execution.policy import SHARE_ALL
from deepprove_dist.execution.profile import Profile
from deepprove_dist.execution.worker import WorkerFactory
from deepprove_dist.execution.worker_api import KeyWorker
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.kernels import Pool
from tests.execution.dummy import Dummy
from tests.execution.shared_keys import Example, example, large_network


def work(group: WorkerGroup, proofs: int = 2) -> list[list[int]]:
    """Two exchanges a proof, each depending on all before."""
    group.call("load", {rank: {"number": 10 * rank} for rank in range(group.size)})
    answers = []
    for _ in range(proofs):
        with group.proof():
            group.call_all("begin")
            for weight in (1, 2):
                group.call_all("add", number=1)
                answers.append(_exchange(group, weight))
    return answers


def _exchange(group: WorkerGroup, weight: int = 1) -> list[int]:
    return list(group.exchange("give", "take", range(group.size), {"weight": weight}).values())


EXPECTED = work(WorkerGroup(InProcessExecutor(3, worker=Dummy, peers=False)))


class Flaky(InProcessExecutor):
    """Loses ranks at given calls, and peers do not meet where told so."""

    factory: WorkerFactory = Dummy

    def __init__(self, losses: Mapping[int, Sequence[int]], meet: bool = True) -> None:
        super().__init__(3, worker=type(self).factory)
        self._losses, self._meet = losses, meet
        self._lost: set[int] = set()
        self.calls = 0

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        for rank in self._losses.get(self.calls, ()):
            # What it kept is gone from then on, for its peers too.
            super().replace(rank)
            self._lost.add(rank)
        if not self._meet:
            self._context.fetch = None
        self.calls += 1
        lost = self._lost & set(requests)
        answers = super().call({rank: request for rank, request in requests.items() if rank not in lost})
        if lost:
            raise WorkerLost(dict.fromkeys(lost, "the test says so"), dict(answers))
        return answers

    @property
    def peers(self) -> Mapping[int, tuple[str, int]]:
        return {rank: ("this process", rank) for rank in range(3)}

    def replace(self, rank: int) -> None:
        super().replace(rank)
        self._lost.discard(rank)


def test_peers_change_no_answer() -> None:
    assert work(WorkerGroup(InProcessExecutor(3, worker=Dummy))) == EXPECTED


@pytest.mark.parametrize("ranks", [(1,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("at", range(2, 18))
def test_losses_change_no_answer_wherever_they_happen(at: int, ranks: tuple[int, ...]) -> None:
    assert work(WorkerGroup(Flaky({at: ranks}))) == EXPECTED


@pytest.mark.parametrize("at", range(8, 16))
def test_a_loss_while_another_seat_is_rebuilt(at: int) -> None:
    assert work(WorkerGroup(Flaky({8: (1,), at: (2,), at + 2: (0,)}))) == EXPECTED


def test_where_peers_do_not_meet_all_goes_through_the_coordinator(caplog: pytest.LogCaptureFixture) -> None:
    profile = Profile()
    executor = Flaky({7: (1,)}, meet=False)
    assert work(WorkerGroup(executor, profile=profile)) == EXPECTED
    taken = [each for each in profile.rounds if each.method == "take"]
    # It is tried once.
    assert len(taken) == 1 + len(EXPECTED)
    assert [record.message.count("reaches no peers") for record in caplog.records] == [3]


def test_a_seat_that_keeps_something_else_is_replaced() -> None:
    class Forgetful(Dummy):
        def begin(self, request: bytes) -> Callable[[], bytes]:
            finish = super().begin(request)
            return partial(encode_answer, b"other") if b"\xa4kept" in request else finish

    kinds = iter([Dummy, Forgetful, Dummy])

    def create_worker(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    assert work(WorkerGroup(InProcessExecutor(3, worker=create_worker, peers=False))) == EXPECTED


def test_who_lied_about_what_it_kept_is_named() -> None:
    class FaultyWorker(Dummy):
        def on_give(self) -> bytes:
            return b"1" + super().on_give()

    kinds = iter([Dummy, FaultyWorker, Dummy])

    def create_worker(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    group = WorkerGroup(InProcessExecutor(3, worker=create_worker))
    group.call("load", {rank: {"number": 10 * rank} for rank in range(3)})
    with group.proof():
        group.call_all("begin")
        group.call_all("add", number=1)
        assert _exchange(group) != EXPECTED[0]
        _exchange(group, 2)
        (faulty_worker,) = group.audit(InProcessExecutor(1, worker=Dummy))
        assert (faulty_worker.rank, faulty_worker.method, faulty_worker.index) == (1, "give", 3)
    assert work(group) == EXPECTED


def test_the_profile_counts_bytes_between_peers() -> None:
    profile = Profile()
    group = WorkerGroup(InProcessExecutor(3, worker=Dummy), profile=profile)
    group.call_all("resize", size=1000)
    group.call("load", {rank: {"number": rank} for rank in range(3)})
    _exchange(group)
    (taken,) = [each for each in profile.rounds if each.method == "take"]
    for share in taken.shares.values():
        assert share.fetched > 2000
        assert share.bytes_out < 500
    profile.finish()
    (totals,) = profile.totals(3)
    assert all(worker.fetched > 2000 for worker in totals.workers)


def test_values_of_an_earlier_epoch_are_dropped() -> None:
    kept = PublishedValues()
    first = ValueDigest(*kept.add(1, 10, b"a"))
    second = ValueDigest(*kept.add(1, 11, b"b"))
    assert kept.value(first.digest) == kept.find(10)
    assert kept.value(second.digest) == kept.find(11)
    assert kept.find(10) != kept.find(11)
    kept.add(2, 12, b"c")
    assert kept.find(10) is None
    with pytest.raises(ExecutionError, match="does not keep"):
        kept.value(first.digest)


def test_a_value_is_waited_for_and_no_longer_than_it_is_known_to_come() -> None:
    kept = PublishedValues()
    begin = time.monotonic()
    assert kept.find(1, 0.05) is None
    with ThreadPoolExecutor(2) as threads:
        given, refused = threads.submit(kept.find, 1, 60.0), threads.submit(kept.find, 2, 60.0)
        kept.add(0, 1, b"value")
        kept.refuse(2)
        assert given.result() == encode_value(b"value")
        assert refused.result() is None
    assert time.monotonic() - begin < 30


def test_an_exchange_is_one_call() -> None:
    profile = Profile()
    work(WorkerGroup(InProcessExecutor(3, worker=Dummy), profile=profile))
    methods = [each.method for each in profile.rounds]
    assert methods == ["load", *["begin", "add", "take", "add", "take"] * 2]


def test_a_seat_that_fails_to_give_is_named_and_holds_nobody_up() -> None:
    class Failing(Dummy):
        def on_give(self) -> bytes:
            raise ValueError("no value")

    kinds = iter([Dummy, Failing, Dummy])

    def create_worker(threads: int) -> Dummy:
        return next(kinds)(threads)

    group = WorkerGroup(InProcessExecutor(3, worker=create_worker))
    with pytest.raises(WorkerError, match="worker 1 on this process, method 'give': ValueError: no value"):
        _exchange(group)


@pytest.mark.parametrize("said", [None, b"mark", [1], ["1", b""], [1, "digest"], {}])
def test_a_seat_that_does_not_say_what_it_keeps(said: object) -> None:
    class Silent(Dummy):
        def begin(self, request: bytes) -> Callable[[], bytes]:
            return lambda: encode_answer([encode_answer(said), [], encode_answer(1)])

    with pytest.raises(WorkerError, match=r"worker 0 on this process, method 'give': .* say what it keeps"):
        _exchange(WorkerGroup(InProcessExecutor(1, worker=Silent)))


@pytest.mark.parametrize("answer", [b"", b"\xff" * 40, encode_answer(3), encode_answer([1, [], b""])])
def test_an_answer_to_an_exchange_that_is_none(answer: bytes) -> None:
    class Broken(Dummy):
        def begin(self, request: bytes) -> Callable[[], bytes]:
            return lambda: answer

    with pytest.raises(WorkerError):
        _exchange(WorkerGroup(InProcessExecutor(1, worker=Broken)))


@pytest.mark.parametrize("wrong", [1, 2])
def test_a_seat_that_took_something_else_is_started_anew(
    wrong: int, caplog: pytest.LogCaptureFixture
) -> None:
    class Deceiving(InProcessExecutor):
        replaced: ClassVar[list[int]] = []

        def _fetch(self, number: int, sources: Sequence[Publisher]) -> list[bytes]:
            values = super()._fetch(number, sources)
            deceived = number == wrong and sources[0].rank == 2
            return [encode_value(b"0.")] * len(values) if deceived else values

        def replace(self, rank: int) -> None:
            self.replaced.append(rank)
            super().replace(rank)

    executor = Deceiving(3, worker=Dummy)
    assert work(WorkerGroup(executor)) == EXPECTED
    assert executor.replaced == [1]
    assert "worker 1 took other values than were given" in caplog.text


def test_a_worker_that_always_misses_its_peers_ends_the_call() -> None:
    class Misser(Dummy):
        def begin(self, request: bytes) -> Callable[[], bytes]:
            return partial(encode_error, PeerError("again"))

    with pytest.raises(WorkerError, match="again"):
        WorkerGroup(InProcessExecutor(1, worker=Misser)).call_all("add", number=1)


class FlakyProver(Flaky):
    """The same with real workers."""

    factory = KeyWorker


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(large_network(), tmp_path_factory.mktemp("large"), profile="small")


@pytest.mark.parametrize("losses", [{}, *({at: (0, 1)} for at in range(6, 60, 9))])
def test_proofs_do_not_depend_on_losses_among_peers(
    large: Example, losses: dict[int, tuple[int, ...]]
) -> None:
    assert large.prove(large.shared(FlakyProver(losses))) == large.proof


@pytest.mark.parametrize("peers", [False, True])
def test_proofs_do_not_depend_on_peers(large: Example, peers: bool) -> None:
    profile = Profile()
    group = WorkerGroup(InProcessExecutor(3, peers=peers), profile=profile)
    key = large.key
    shared = load_cluster_key(key.model, large.path, key.verifying, group, Pool(1), SHARE_ALL)
    assert large.prove(shared) == large.proof
    methods = {each.method for each in profile.rounds}
    assert methods >= {"commit_witness", "commit_values"}
    assert (methods >= {"witness_rows", "folded_values"}) == (not peers)
    assert any(share.fetched for each in profile.rounds for share in each.shares.values()) == peers
