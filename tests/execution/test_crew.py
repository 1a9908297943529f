"""A crew whose workers get lost, lie and fail, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deepprove_dist.errors import ExecutionError, WorkerError
from deepprove_dist.execution.crew import Crew
from deepprove_dist.execution.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.messages import encode_answer
from tests.execution.dummy import Dummy, Liar
from tests.execution.unreliable import Unreliable


def work(crew: Crew) -> list[int]:
    """Sums of two proofs; every answer depends on all calls of its proof before it."""
    crew.call_all("load", number=100)
    answers: list[int] = []
    for first in (1, 2):
        with crew.proof():
            crew.call_all("begin")
            for number in range(first, first + 3):
                own = {seat: {"number": number * (seat + 1)} for seat in range(crew.size)}
                answers += crew.call("add", own).values()
    return answers


def test_equal_arguments_are_given_to_all_and_answers_come_in_order() -> None:
    crew = Crew(InProcessExecutor(3, worker=Dummy))
    assert crew.call_all("add", number=5) == [5, 5, 5]
    assert crew.call("add", {2: {"number": 1}, 0: {"number": 2}}) == {0: 7, 2: 6}


def tell(crew: Crew) -> list[int]:
    """Sums of a proof, to which every seat is told other numbers between the calls."""
    crew.call_all("load", number=100)
    answers: list[int] = []
    with crew.proof():
        crew.tell("begin", {seat: {} for seat in range(3)})
        crew.tell("add", {seat: {"number": 10 * seat} for seat in (1, 2)})
        answers += crew.call("add", {0: {"number": 1}, 1: {"number": 1}}).values()
        crew.tell("add", {1: {"number": 5}})
        answers += crew.exchange("give", "take", range(3), {"weight": 1}).values()
    return answers


def test_what_seats_are_told_goes_with_their_next_call() -> None:
    executor = Unreliable(3, {})
    given = 100 + 1, 100 + 10 + 1 + 5, 100 + 20
    assert tell(Crew(executor)) == [101, 111, *(sum(given) + own for own in given)]
    assert executor.calls == 3


@pytest.mark.parametrize("at", range(1, 4))
def test_a_replacement_is_told_again(at: int) -> None:
    assert tell(Crew(Unreliable(3, {at: [1, 2]}))) == tell(Crew(Unreliable(3, {})))


def test_what_was_told_within_a_proof_ends_with_it() -> None:
    crew = Crew(InProcessExecutor(1, worker=Dummy))
    with crew.proof():
        crew.tell("add", {0: {"number": 7}})
    assert crew.call_all("add", number=1) == [1]


def test_an_error_of_what_was_told_is_the_calls_answer() -> None:
    crew = Crew(InProcessExecutor(1, worker=Dummy))
    crew.tell("fail", {0: {}})
    with pytest.raises(WorkerError, match="worker 0 on this process, method 'add': ValueError: told to fail"):
        crew.call_all("add", number=1)


@pytest.mark.parametrize("at", range(1, 9))
def test_lost_workers_are_started_anew_wherever_it_happens(at: int) -> None:
    expected = work(Crew(InProcessExecutor(3, worker=Dummy)))
    executor = Unreliable(3, {at: [1, 2]})
    assert work(Crew(executor)) == expected
    assert executor.calls > 9


def test_a_replacement_that_answers_otherwise_is_not_trusted() -> None:
    crew = Crew(Unreliable(1, {3: [0]}))
    crew.call_all("load", number=100)
    with crew.proof():
        assert crew.call_all("add", number=1) == [101]
    with crew.proof():  # without "begin", against the rules: the sum goes on
        assert crew.call_all("add", number=2) == [103]
        with pytest.raises(ExecutionError, match="another answer to 'add'"):
            crew.call_all("add", number=3)


def test_a_worker_lost_while_it_is_rebuilt_is_rebuilt_again() -> None:
    executor = Unreliable(2, {2: [0], 4: [0], 5: [1]})
    crew = Crew(executor)
    answers = [crew.call_all("add", number=number) for number in (1, 2, 3, 4)]
    assert answers == [[1, 1], [3, 3], [6, 6], [10, 10]]


def test_without_a_place_seats_move_to_the_living() -> None:
    executor = Unreliable(3, {1: [0], 3: [2]}, full=True)
    crew = Crew(executor)
    assert [crew.call_all("add", number=1) for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]
    assert executor.moved == [0, 2]


def test_a_seat_that_is_lost_again_and_again_ends_the_proof() -> None:
    executor = Unreliable(2, {call: [1] for call in range(50)})
    crew = Crew(executor, FailurePolicy(Budget(per_seat=3)))
    with pytest.raises(ExecutionError, match=r"worker 1 was lost too often.*the test says so"):
        crew.call_all("add", number=1)
    assert executor.calls == 4


def test_an_error_names_worker_node_and_method() -> None:
    crew = Crew(InProcessExecutor(2, worker=Dummy))
    with pytest.raises(
        WorkerError, match="worker 1 on this process, method 'fail': ValueError: told to fail"
    ):
        crew.call("fail", {1: {}})


@pytest.mark.parametrize(
    "garbage", [b"", b"short", encode_answer(1)[:-1], encode_answer(1) + b"0", 8 * b"\0" + b"\xc1"]
)
def test_bytes_that_are_no_answer_are_the_workers_error(garbage: bytes) -> None:
    class Garbler(Dummy):
        def begin(self, request: bytes) -> Callable[[], bytes]:
            return lambda: garbage

    with pytest.raises(WorkerError, match="worker 0 on this process, method 'add': sent bytes"):
        Crew(InProcessExecutor(1, worker=Garbler)).call_all("add", number=1)


def test_a_value_that_no_message_holds_is_the_workers_error() -> None:
    class Odd(Dummy):
        def on_take(self, shares: list[bytes], weight: int) -> Any:
            return object()

        def on_begin(self) -> Any:
            return object()

    crew = Crew(InProcessExecutor(2, worker=Odd))
    with pytest.raises(WorkerError, match="TypeError: a message holds no object"):
        crew.exchange("give", "take", range(2), {"weight": 1})
    with pytest.raises(WorkerError, match="TypeError: a message holds no object"):
        crew.call_all("begin")


def test_an_audit_names_the_liar_and_replaces_it() -> None:
    kinds = iter([Dummy, Dummy, Liar])

    def hire(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    crew = Crew(InProcessExecutor(3, worker=hire))
    crew.call_all("add", number=1)
    with crew.proof():
        crew.call_all("add", number=1)
        assert crew.call_all("add", number=1) == [3, 3, 5]
        (liar,) = crew.audit(InProcessExecutor(1, worker=Dummy))
        assert (liar.seat, liar.node, liar.method, liar.index) == (2, "this process", "add", 1)
        assert crew.audit(InProcessExecutor(1, worker=Dummy)) == ()
    with crew.proof():
        assert crew.call_all("echo", data=b"again") == [b"again"] * 3


def test_an_error_that_is_a_lie_is_found_too() -> None:
    class Coward(Dummy):
        def on_add(self, number: int) -> int:
            raise MemoryError("so it says")

    kinds = iter([Dummy, Coward])

    def hire(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    crew = Crew(InProcessExecutor(2, worker=hire))
    with crew.proof():
        with pytest.raises(WorkerError, match="so it says"):
            crew.call_all("add", number=1)
        assert [liar.seat for liar in crew.audit(InProcessExecutor(1, worker=Dummy))] == [1]


def test_an_audit_of_honest_workers_finds_nothing() -> None:
    crew = Crew(InProcessExecutor(2, worker=Dummy))
    work(crew)
    assert crew.audit(InProcessExecutor(1, worker=Dummy)) == ()
