"""What seats share: same answers by whatever way it goes, and whoever is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from deepprove_dist.errors import ExecutionError, PeerError, WorkerError, WorkerLost
from deepprove_dist.execution.crew import Crew
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.key_worker import KeyWorker
from deepprove_dist.execution.messages import encode_answer, encode_error
from deepprove_dist.execution.policy import SHARE_ALL
from deepprove_dist.execution.profile import Profile
from deepprove_dist.execution.shared_key import SharedKey
from deepprove_dist.execution.sharing import Kept, Mark
from deepprove_dist.execution.worker import WorkerFactory
from deepprove_dist.kernels import Pool
from tests.execution.dummy import Dummy
from tests.execution.sharing import Example, example, large_network


def work(crew: Crew, proofs: int = 2) -> list[list[int]]:
    """Two exchanges a proof, each depending on all before."""
    crew.call("load", {seat: {"number": 10 * seat} for seat in range(crew.size)})
    answers = []
    for _ in range(proofs):
        with crew.proof():
            crew.call_all("begin")
            for weight in (1, 2):
                crew.call_all("add", number=1)
                answers.append(_exchange(crew, weight))
    return answers


def _exchange(crew: Crew, weight: int = 1) -> list[int]:
    return list(crew.exchange("give", "take", range(crew.size), {"weight": weight}).values())


EXPECTED = work(Crew(InProcessExecutor(3, worker=Dummy, peers=False)))


class Flaky(InProcessExecutor):
    """Loses seats at given calls, and peers do not meet where told so."""

    factory: WorkerFactory = Dummy

    def __init__(self, losses: Mapping[int, Sequence[int]], meet: bool = True) -> None:
        super().__init__(3, worker=type(self).factory)
        self._losses, self._meet = losses, meet
        self._lost: set[int] = set()
        self.calls = 0

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        for seat in self._losses.get(self.calls, ()):
            # What it kept is gone from then on, for its peers too.
            super().replace(seat)
            self._lost.add(seat)
        if not self._meet:
            self._site.fetch = None
        self.calls += 1
        lost = self._lost & set(requests)
        answers = super().call({seat: request for seat, request in requests.items() if seat not in lost})
        if lost:
            raise WorkerLost(dict.fromkeys(lost, "the test says so"), dict(answers))
        return answers

    @property
    def peers(self) -> Mapping[int, tuple[str, int]]:
        return {seat: ("this process", seat) for seat in range(3)}

    def replace(self, seat: int) -> None:
        super().replace(seat)
        self._lost.discard(seat)


def test_peers_change_no_answer() -> None:
    assert work(Crew(InProcessExecutor(3, worker=Dummy))) == EXPECTED


@pytest.mark.parametrize("seats", [(1,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("at", range(2, 18))
def test_losses_change_no_answer_wherever_they_happen(at: int, seats: tuple[int, ...]) -> None:
    assert work(Crew(Flaky({at: seats}))) == EXPECTED


@pytest.mark.parametrize("at", range(8, 16))
def test_a_loss_while_another_seat_is_rebuilt(at: int) -> None:
    assert work(Crew(Flaky({8: (1,), at: (2,), at + 2: (0,)}))) == EXPECTED


def test_where_peers_do_not_meet_all_goes_through_the_coordinator(caplog: pytest.LogCaptureFixture) -> None:
    profile = Profile()
    executor = Flaky({7: (1,)}, meet=False)
    assert work(Crew(executor, profile=profile)) == EXPECTED
    taken = [each for each in profile.rounds if each.method == "take"]
    # It is tried once.
    assert len(taken) == 1 + len(EXPECTED)
    assert [record.message.count("reaches no peers") for record in caplog.records] == [3]


def test_a_seat_that_keeps_something_else_is_replaced() -> None:
    class Forgetful(Dummy):
        def handle(self, request: bytes) -> bytes:
            answer = super().handle(request)
            return encode_answer(b"other") if b"\xa4kept" in request else answer

    kinds = iter([Dummy, Forgetful, Dummy])

    def hire(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    assert work(Crew(InProcessExecutor(3, worker=hire, peers=False))) == EXPECTED


def test_who_lied_about_what_it_kept_is_named() -> None:
    class Liar(Dummy):
        def on_give(self) -> bytes:
            return b"1" + super().on_give()

    kinds = iter([Dummy, Liar, Dummy])

    def hire(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    crew = Crew(InProcessExecutor(3, worker=hire))
    crew.call("load", {seat: {"number": 10 * seat} for seat in range(3)})
    with crew.proof():
        crew.call_all("begin")
        crew.call_all("add", number=1)
        assert _exchange(crew) != EXPECTED[0]
        _exchange(crew, 2)
        (liar,) = crew.audit(InProcessExecutor(1, worker=Dummy))
        assert (liar.seat, liar.method, liar.index) == (1, "give", 3)
    assert work(crew) == EXPECTED


def test_the_profile_counts_bytes_between_peers() -> None:
    profile = Profile()
    crew = Crew(InProcessExecutor(3, worker=Dummy), profile=profile)
    crew.call_all("resize", size=1000)
    crew.call("load", {seat: {"number": seat} for seat in range(3)})
    _exchange(crew)
    (taken,) = [each for each in profile.rounds if each.method == "take"]
    for share in taken.shares.values():
        assert share.fetched > 2000
        assert share.bytes_out < 500
    profile.finish()
    (totals,) = profile.totals(3)
    assert all(worker.fetched > 2000 for worker in totals.workers)


def test_values_of_an_earlier_epoch_are_dropped() -> None:
    kept = Kept()
    first = Mark(*kept.add(1, b"a"))
    second = Mark(*kept.add(1, b"b"))
    assert kept.value(first.digest) != kept.value(second.digest)
    kept.add(2, b"c")
    with pytest.raises(ExecutionError, match="does not keep"):
        kept.value(first.digest)


def test_a_worker_that_always_misses_its_peers_ends_the_call() -> None:
    class Misser(Dummy):
        def handle(self, request: bytes) -> bytes:
            return encode_error(PeerError("again"))

    with pytest.raises(WorkerError, match="again"):
        Crew(InProcessExecutor(1, worker=Misser)).call_all("add", number=1)


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
    crew = Crew(InProcessExecutor(3, peers=peers), profile=profile)
    key = large.key
    shared = SharedKey(key.model, large.path, key.verifying, crew, Pool(1), SHARE_ALL)
    assert large.prove(shared) == large.proof
    methods = {each.method for each in profile.rounds}
    assert methods >= {"witness_rows", "commit_witness", "folded_values", "commit_values"}
    assert any(share.fetched for each in profile.rounds for share in each.shares.values()) == peers
