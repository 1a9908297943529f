"""What ranks share: same answers by whatever way it goes, and whoever is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ClassVar

import msgspec
import pytest

from deepprove_dist.errors import ExecutionError, PeerError, WorkerError, WorkerLost
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.calls.requests import Answer, Gathered, GetPublished, Outcome, read_request
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.network.address import Address, Publisher
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.published_values import PublishedValues
from deepprove_dist.execution.workers.worker import (
    ProcessContext,
    Worker,
    WorkerFactory,
    methods_by_name,
)
from deepprove_dist.timing import Span, Trace, recording
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_OUT, phase_totals
from deepprove_dist.timing.spans import Kind
from tests.execution.dummy import Dummy, dummy, in_turn, trusted, worker_of
from tests.execution.shared_keys import Example, example, large_network


def answer(value: bytes) -> bytes:
    """An answer with an encoded value."""
    return encode(Answer(0.0, 0, Outcome(None, msgspec.Raw(value))))


def rounds(trace: Trace, method: str, kind: Kind = "round") -> list[Span]:
    """The rounds of a method, or the work of ranks in them."""
    return [span for span in trace.of_kind(kind) if span.name == method]


def work(group: WorkerGroup, proofs: int = 2) -> list[list[int]]:
    """Two all-gathers a proof, each depending on all before."""
    group.call({rank: Call.to(Dummy.load, number=10 * rank) for rank in group.ranks})
    answers = []
    for _ in range(proofs):
        with group.proof():
            group.call_all(Dummy.begin)
            for weight in (1, 2):
                group.call_all(Dummy.add, number=1)
                answers.append(_gather(group, weight))
    return answers


def _gather(group: WorkerGroup, weight: int = 1) -> list[int]:
    return group.all_gather(Dummy.give, Dummy.take, weight=weight)


EXPECTED = work(WorkerGroup(InProcessExecutor(3, dummy, peers=False)))


class Flaky(InProcessExecutor):
    """Loses ranks at given calls, and peers do not meet where told so."""

    factory: WorkerFactory = staticmethod(dummy)

    def __init__(self, losses: Mapping[int, Sequence[int]], meet: bool = True) -> None:
        super().__init__(3, type(self).factory)
        self._losses, self._meet = losses, meet
        self._lost: set[int] = set()
        self.calls = 0

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        for rank in self._losses.get(self.calls, ()):
            # What it published is gone from then on, for its peers too.
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
    def peers(self) -> Mapping[int, Address]:
        return {rank: Address("this process", rank) for rank in range(3)}

    def replace(self, rank: int) -> None:
        super().replace(rank)
        self._lost.discard(rank)


def test_peers_change_no_answer() -> None:
    assert work(WorkerGroup(InProcessExecutor(3, dummy))) == EXPECTED


@pytest.mark.parametrize("ranks", [(1,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("at", range(2, 18))
def test_losses_change_no_answer_wherever_they_happen(at: int, ranks: tuple[int, ...]) -> None:
    assert work(WorkerGroup(Flaky({at: ranks}))) == EXPECTED


@pytest.mark.parametrize("at", range(8, 16))
def test_a_loss_while_another_rank_is_rebuilt(at: int) -> None:
    assert work(WorkerGroup(Flaky({8: (1,), at: (2,), at + 2: (0,)}))) == EXPECTED


def test_where_peers_do_not_meet_all_goes_through_the_coordinator(caplog: pytest.LogCaptureFixture) -> None:
    executor = Flaky({7: (1,)}, meet=False)
    with recording(Trace()) as trace:
        assert work(WorkerGroup(executor)) == EXPECTED
    # It is tried once.
    assert len(rounds(trace, "take")) == 1 + len(EXPECTED)
    fallback, replacement = (record.getMessage() for record in caplog.records)
    assert fallback.startswith("published values go through the coordinator from now on: worker 0: ")
    assert fallback.count("reaches no peers") == 3
    assert replacement.startswith("worker 1 on this process is replaced by a new one")
    assert (
        "the test says so, in 'give'; losses still borne: 2 more of this rank and 31 in all within 600 s"
        in replacement
    )


def test_a_rank_that_publishes_something_else_is_replaced() -> None:
    class Forgetful(Worker):
        def begin(self, request: bytes | memoryview) -> Callable[[], bytes]:
            if isinstance(read_request(request), GetPublished):
                return lambda: answer(encode(b"other"))
            return super().begin(request)

    def forgetful(context: ProcessContext, rank: int) -> Worker:
        methods = methods_by_name((Dummy.load, Dummy.begin, Dummy.add, Dummy.give, Dummy.take))
        return Forgetful(context, rank, Dummy(context, rank), methods)

    executor = InProcessExecutor(3, in_turn(dummy, forgetful), peers=False)
    assert work(WorkerGroup(executor)) == EXPECTED


def test_a_faulty_worker_that_lied_about_what_it_published_is_named() -> None:
    class Wrong(Dummy):
        def give(self) -> bytes:
            return b"1" + super().give()

    group = WorkerGroup(InProcessExecutor(3, in_turn(dummy, partial(worker_of, Wrong))))
    group.call({rank: Call.to(Dummy.load, number=10 * rank) for rank in range(3)})
    with group.proof():
        group.call_all(Dummy.begin)
        group.call_all(Dummy.add, number=1)
        assert _gather(group) != EXPECTED[0]
        _gather(group, 2)
        (faulty_worker,) = group.audit(trusted)
        assert (faulty_worker.rank, faulty_worker.method, faulty_worker.index) == (1, "give", 3)
    assert work(group) == EXPECTED


def test_the_profile_counts_bytes_between_peers() -> None:
    group = WorkerGroup(InProcessExecutor(3, dummy))
    with recording(Trace()) as trace:
        group.call_all(Dummy.resize, size=1000)
        group.call({rank: Call.to(Dummy.load, number=rank) for rank in range(3)})
        _gather(group)
    for work in rounds(trace, "take", "work"):
        assert work.counts[BYTES_FETCHED] > 2000
        assert work.counts[BYTES_OUT] < 500
    (totals,) = phase_totals(trace, 3)
    assert all(worker.fetched > 2000 for worker in totals.workers)


def test_values_of_an_earlier_epoch_are_dropped() -> None:
    published = PublishedValues()
    first = published.publish(1, 10, b"a")
    second = published.publish(1, 11, b"b")
    assert published.by_digest(first.digest) == published.find(10) == b"a"
    assert published.by_digest(second.digest) == published.find(11) == b"b"
    published.publish(2, 12, b"c")
    assert published.find(10) is None
    with pytest.raises(ExecutionError, match="has not published"):
        published.by_digest(first.digest)


def test_a_value_is_waited_for_and_no_longer_than_it_is_known_to_come() -> None:
    values = PublishedValues()
    begin = time.monotonic()
    assert values.find(1, 0.05) is None
    with ThreadPoolExecutor(2) as threads:
        published, withdrawn = threads.submit(values.find, 1, 60.0), threads.submit(values.find, 2, 60.0)
        values.publish(0, 1, b"value")
        values.withdraw(2)
        assert published.result() == b"value"
        assert withdrawn.result() is None
    assert time.monotonic() - begin < 30


def test_an_all_gather_is_one_request() -> None:
    with recording(Trace()) as trace:
        work(WorkerGroup(InProcessExecutor(3, dummy)))
    methods = [span.name for span in trace.of_kind("round")]
    assert methods == ["load", *["begin", "add", "take", "add", "take"] * 2]


def test_a_rank_that_fails_to_give_is_named_and_holds_nobody_up() -> None:
    class Failing(Dummy):
        def give(self) -> bytes:
            raise ValueError("no value")

    group = WorkerGroup(InProcessExecutor(3, in_turn(dummy, partial(worker_of, Failing))))
    with pytest.raises(WorkerError, match="worker 1 on this process, method 'give': ValueError: no value"):
        _gather(group)


def answering(content: bytes) -> WorkerFactory:
    """Workers whose answer to everything has these bytes."""

    class Answering(Worker):
        def begin(self, request: bytes | memoryview) -> Callable[[], bytes]:
            return lambda: content

    def create(context: ProcessContext, rank: int) -> Worker:
        return Answering(context, rank, None, {})

    return create


@pytest.mark.parametrize("digest", [None, b"digest", [1], ["1", b""], [1, "digest"], {}])
def test_a_rank_that_does_not_say_what_it_published(digest: object) -> None:
    gathered = Gathered(Outcome.of_value(digest), (), Outcome.of_value(1))
    with pytest.raises(WorkerError, match=r"worker 0 on this process, method 'give': did not say what"):
        _gather(WorkerGroup(InProcessExecutor(1, answering(answer(encode(gathered))))))


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, answer(encode(3)), answer(encode([1, [], b""]))])
def test_bytes_that_are_no_answer_to_an_all_gather(content: bytes) -> None:
    with pytest.raises(WorkerError, match="worker 0 on this process, method 'give': sent"):
        _gather(WorkerGroup(InProcessExecutor(1, answering(content))))


@pytest.mark.parametrize("wrong", [1, 2])
def test_a_rank_that_used_something_else_is_replaced(wrong: int, caplog: pytest.LogCaptureFixture) -> None:
    class Deceiving(InProcessExecutor):
        replaced: ClassVar[list[int]] = []

        def _fetch(self, number: int, sources: Sequence[Publisher]) -> list[bytes]:
            values = super()._fetch(number, sources)
            deceived = number == wrong and sources[0].rank == 2
            return [encode(b"0.")] * len(values) if deceived else values

        def replace(self, rank: int) -> None:
            self.replaced.append(rank)
            super().replace(rank)

    executor = Deceiving(3, dummy)
    assert work(WorkerGroup(executor)) == EXPECTED
    assert executor.replaced == [1]
    assert "worker 1 used other values than were published" in caplog.text


def test_a_worker_that_always_misses_its_peers_ends_the_call() -> None:
    missing = encode(Answer(0.0, 0, Outcome.of_error(PeerError("again"))))
    with pytest.raises(WorkerError, match="again"):
        WorkerGroup(InProcessExecutor(1, answering(missing))).call_all(Dummy.add, number=1)


class FlakyProver(Flaky):
    """The same with real workers."""

    factory = staticmethod(create_worker)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(large_network(), tmp_path_factory.mktemp("large"), objective="small")


@pytest.mark.parametrize("losses", [{}, *({at: (0, 1)} for at in range(6, 60, 9))])
def test_proofs_do_not_depend_on_losses_among_peers(
    large: Example, losses: dict[int, tuple[int, ...]]
) -> None:
    assert large.prove(large.shared(FlakyProver(losses))) == large.proof


@pytest.mark.parametrize("peers", [False, True])
def test_proofs_do_not_depend_on_peers(large: Example, peers: bool) -> None:
    with recording(Trace()) as trace:
        assert large.prove(large.shared(InProcessExecutor(3, create_worker, peers=peers))) == large.proof
    methods = {span.name for span in trace.of_kind("round")}
    assert methods >= {"commit_witness", "commit_values"}
    assert (methods >= {"witness_rows", "folded_values"}) == (not peers)
    assert any(span.counts[BYTES_FETCHED] for span in trace.of_kind("work")) == peers
