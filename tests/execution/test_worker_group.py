"""A group whose workers get lost, lie and fail, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deepprove_dist.errors import ExecutionError, WorkerError
from deepprove_dist.execution.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.messages import encode_answer
from deepprove_dist.execution.worker_group import WorkerGroup
from tests.execution.dummy import Dummy, FaultyWorker
from tests.execution.unreliable import Unreliable


def work(group: WorkerGroup) -> list[int]:
    """Sums of two proofs; every answer depends on all calls of its proof before it."""
    group.call_all("load", number=100)
    answers: list[int] = []
    for first in (1, 2):
        with group.proof():
            group.call_all("begin")
            for number in range(first, first + 3):
                own = {rank: {"number": number * (rank + 1)} for rank in range(group.size)}
                answers += group.call("add", own).values()
    return answers


def test_equal_arguments_are_given_to_all_and_answers_come_in_order() -> None:
    group = WorkerGroup(InProcessExecutor(3, worker=Dummy))
    assert group.call_all("add", number=5) == [5, 5, 5]
    assert group.call("add", {2: {"number": 1}, 0: {"number": 2}}) == {0: 7, 2: 6}


def defer(group: WorkerGroup) -> list[int]:
    """Sums of a proof, to which every rank is told other numbers between the calls."""
    group.call_all("load", number=100)
    answers: list[int] = []
    with group.proof():
        group.defer("begin", {rank: {} for rank in range(3)})
        group.defer("add", {rank: {"number": 10 * rank} for rank in (1, 2)})
        answers += group.call("add", {0: {"number": 1}, 1: {"number": 1}}).values()
        group.defer("add", {1: {"number": 5}})
        answers += group.exchange("give", "take", range(3), {"weight": 1}).values()
    return answers


def test_what_seats_are_told_goes_with_their_next_call() -> None:
    executor = Unreliable(3, {})
    given = 100 + 1, 100 + 10 + 1 + 5, 100 + 20
    assert defer(WorkerGroup(executor)) == [101, 111, *(sum(given) + own for own in given)]
    assert executor.calls == 3


@pytest.mark.parametrize("at", range(1, 4))
def test_a_replacement_is_told_again(at: int) -> None:
    assert defer(WorkerGroup(Unreliable(3, {at: [1, 2]}))) == defer(WorkerGroup(Unreliable(3, {})))


def test_what_was_told_within_a_proof_ends_with_it() -> None:
    group = WorkerGroup(InProcessExecutor(1, worker=Dummy))
    with group.proof():
        group.defer("add", {0: {"number": 7}})
    assert group.call_all("add", number=1) == [1]


def test_an_error_of_what_was_told_is_the_calls_answer() -> None:
    group = WorkerGroup(InProcessExecutor(1, worker=Dummy))
    group.defer("fail", {0: {}})
    with pytest.raises(WorkerError, match="worker 0 on this process, method 'add': ValueError: told to fail"):
        group.call_all("add", number=1)


@pytest.mark.parametrize("at", range(1, 9))
def test_lost_workers_are_started_anew_wherever_it_happens(at: int) -> None:
    expected = work(WorkerGroup(InProcessExecutor(3, worker=Dummy)))
    executor = Unreliable(3, {at: [1, 2]})
    assert work(WorkerGroup(executor)) == expected
    assert executor.calls > 9


def test_a_replacement_that_answers_otherwise_is_not_trusted() -> None:
    group = WorkerGroup(Unreliable(1, {3: [0]}))
    group.call_all("load", number=100)
    with group.proof():
        assert group.call_all("add", number=1) == [101]
    with group.proof():  # without "begin", against the rules: the sum goes on
        assert group.call_all("add", number=2) == [103]
        with pytest.raises(ExecutionError, match="another answer to 'add'"):
            group.call_all("add", number=3)


def test_a_worker_lost_while_it_is_rebuilt_is_rebuilt_again() -> None:
    executor = Unreliable(2, {2: [0], 4: [0], 5: [1]})
    group = WorkerGroup(executor)
    answers = [group.call_all("add", number=number) for number in (1, 2, 3, 4)]
    assert answers == [[1, 1], [3, 3], [6, 6], [10, 10]]


def test_without_a_place_seats_move_to_the_living() -> None:
    executor = Unreliable(3, {1: [0], 3: [2]}, full=True)
    group = WorkerGroup(executor)
    assert [group.call_all("add", number=1) for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]
    assert executor.moved == [0, 2]


def test_a_seat_that_is_lost_again_and_again_ends_the_proof() -> None:
    executor = Unreliable(2, {call: [1] for call in range(50)})
    group = WorkerGroup(executor, FailurePolicy(Budget(per_rank=3)))
    with pytest.raises(ExecutionError, match=r"worker 1 was lost too often.*the test says so"):
        group.call_all("add", number=1)
    assert executor.calls == 4


def test_an_error_names_worker_node_and_method() -> None:
    group = WorkerGroup(InProcessExecutor(2, worker=Dummy))
    with pytest.raises(
        WorkerError, match="worker 1 on this process, method 'fail': ValueError: told to fail"
    ):
        group.call("fail", {1: {}})


@pytest.mark.parametrize(
    "garbage", [b"", b"short", encode_answer(1)[:-1], encode_answer(1) + b"0", 8 * b"\0" + b"\xc1"]
)
def test_bytes_that_are_no_answer_are_the_workers_error(garbage: bytes) -> None:
    class Garbler(Dummy):
        def begin(self, request: bytes) -> Callable[[], bytes]:
            return lambda: garbage

    with pytest.raises(WorkerError, match="worker 0 on this process, method 'add': sent bytes"):
        WorkerGroup(InProcessExecutor(1, worker=Garbler)).call_all("add", number=1)


def test_a_value_that_no_message_holds_is_the_workers_error() -> None:
    class Odd(Dummy):
        def on_take(self, shares: list[bytes], weight: int) -> Any:
            return object()

        def on_begin(self) -> Any:
            return object()

    group = WorkerGroup(InProcessExecutor(2, worker=Odd))
    with pytest.raises(WorkerError, match="TypeError: a message holds no object"):
        group.exchange("give", "take", range(2), {"weight": 1})
    with pytest.raises(WorkerError, match="TypeError: a message holds no object"):
        group.call_all("begin")


def test_an_audit_names_the_faulty_worker_and_replaces_it() -> None:
    kinds = iter([Dummy, Dummy, FaultyWorker])

    def create_worker(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    group = WorkerGroup(InProcessExecutor(3, worker=create_worker))
    group.call_all("add", number=1)
    with group.proof():
        group.call_all("add", number=1)
        assert group.call_all("add", number=1) == [3, 3, 5]
        (faulty,) = group.audit(InProcessExecutor(1, worker=Dummy))
        assert (faulty.rank, faulty.node, faulty.method, faulty.index) == (
            2,
            "this process",
            "add",
            1,
        )
        assert group.audit(InProcessExecutor(1, worker=Dummy)) == ()
    with group.proof():
        assert group.call_all("echo", data=b"again") == [b"again"] * 3


def test_an_error_that_is_a_lie_is_found_too() -> None:
    class Coward(Dummy):
        def on_add(self, number: int) -> int:
            raise MemoryError("so it says")

    kinds = iter([Dummy, Coward])

    def create_worker(threads: int) -> Dummy:
        return next(kinds, Dummy)(threads)

    group = WorkerGroup(InProcessExecutor(2, worker=create_worker))
    with group.proof():
        with pytest.raises(WorkerError, match="so it says"):
            group.call_all("add", number=1)
        assert [faulty.rank for faulty in group.audit(InProcessExecutor(1, worker=Dummy))] == [1]


def test_an_audit_of_honest_workers_finds_nothing() -> None:
    group = WorkerGroup(InProcessExecutor(2, worker=Dummy))
    work(group)
    assert group.audit(InProcessExecutor(1, worker=Dummy)) == ()
