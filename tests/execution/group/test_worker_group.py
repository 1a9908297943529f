"""A group whose workers get lost, lie and fail, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from deepprove_dist.errors import ExecutionError, WorkerError
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.calls.requests import Answer, Outcome
from deepprove_dist.execution.group.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.workers.worker import ProcessContext, Worker
from tests.execution.dummy import Dummy, dummy, faulty_dummy, in_turn, trusted, worker_of
from tests.execution.unreliable import Unreliable

ANSWER = encode(Answer(0.0, 0, Outcome.of_value(1)))


def work(group: WorkerGroup) -> list[int]:
    """Sums of two proofs; every answer depends on all calls of its proof before it."""
    group.call_all(Dummy.load, number=100)
    answers: list[int] = []
    for first in (1, 2):
        with group.proof():
            group.call_all(Dummy.begin)
            for number in range(first, first + 3):
                calls = {rank: Call.to(Dummy.add, number=number * (rank + 1)) for rank in group.ranks}
                answers += group.call(calls).values()
    return answers


def test_equal_arguments_are_given_to_all_and_answers_come_in_order() -> None:
    group = WorkerGroup(InProcessExecutor(3, dummy))
    assert group.call_all(Dummy.add, number=5) == [5, 5, 5]
    assert group.call({2: Call.to(Dummy.add, number=1), 0: Call.to(Dummy.add, number=2)}) == {0: 7, 2: 6}


def deferring(group: WorkerGroup) -> list[int]:
    """Sums of a proof, with deferred numbers for each rank between the calls."""
    group.call_all(Dummy.load, number=100)
    answers: list[int] = []
    with group.proof():
        group.defer_all(Dummy.begin)
        group.defer({rank: Call.to(Dummy.count, number=10 * rank) for rank in (1, 2)})
        answers += group.call(dict.fromkeys((0, 1), Call.to(Dummy.add, number=1))).values()
        group.defer({1: Call.to(Dummy.count, number=5)})
        answers += group.all_gather(Dummy.give, Dummy.take, weight=1)
    return answers


def test_deferred_calls_go_with_the_next_call() -> None:
    executor = Unreliable(3, {})
    given = 100 + 1, 100 + 10 + 1 + 5, 100 + 20
    assert deferring(WorkerGroup(executor)) == [101, 111, *(sum(given) + number for number in given)]
    assert executor.calls == 3


@pytest.mark.parametrize("at", range(1, 4))
def test_deferred_calls_are_replayed(at: int) -> None:
    assert deferring(WorkerGroup(Unreliable(3, {at: [1, 2]}))) == deferring(WorkerGroup(Unreliable(3, {})))


def test_deferred_calls_end_with_their_proof() -> None:
    group = WorkerGroup(InProcessExecutor(1, dummy))
    with group.proof():
        group.defer({0: Call.to(Dummy.count, number=7)})
    assert group.call_all(Dummy.add, number=1) == [1]


def test_an_error_of_a_deferred_call_is_the_calls_answer() -> None:
    group = WorkerGroup(InProcessExecutor(1, dummy))
    group.defer_all(Dummy.fail)
    with pytest.raises(WorkerError, match="worker 0 on this process, method 'add': ValueError: told to fail"):
        group.call_all(Dummy.add, number=1)


@pytest.mark.parametrize("at", range(1, 9))
def test_lost_workers_are_replaced_wherever_it_happens(at: int) -> None:
    expected = work(WorkerGroup(InProcessExecutor(3, dummy)))
    executor = Unreliable(3, {at: [1, 2]})
    assert work(WorkerGroup(executor)) == expected
    assert executor.calls > 9


def test_a_replacement_that_answers_otherwise_is_not_trusted() -> None:
    group = WorkerGroup(Unreliable(1, {3: [0]}))
    group.call_all(Dummy.load, number=100)
    with group.proof():
        assert group.call_all(Dummy.add, number=1) == [101]
    with group.proof():  # without "begin", against the rules: the sum goes on
        assert group.call_all(Dummy.add, number=2) == [103]
        with pytest.raises(ExecutionError, match="another answer to 'add'"):
            group.call_all(Dummy.add, number=3)


def test_a_worker_lost_while_it_is_rebuilt_is_rebuilt_again() -> None:
    executor = Unreliable(2, {2: [0], 4: [0], 5: [1]})
    group = WorkerGroup(executor)
    answers = [group.call_all(Dummy.add, number=number) for number in (1, 2, 3, 4)]
    assert answers == [[1, 1], [3, 3], [6, 6], [10, 10]]


def test_ranks_without_a_process_move_to_the_living() -> None:
    executor = Unreliable(3, {1: [0], 3: [2]}, full=True)
    group = WorkerGroup(executor)
    assert [group.call_all(Dummy.add, number=1) for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]
    assert executor.moved == [0, 2]


def test_a_rank_that_is_lost_again_and_again_ends_the_proof() -> None:
    executor = Unreliable(2, {call: [1] for call in range(50)})
    group = WorkerGroup(executor, FailurePolicy(Budget(per_rank=3)))
    with pytest.raises(ExecutionError, match=r"worker 1 was lost too often.*the test says so"):
        group.call_all(Dummy.add, number=1)
    assert executor.calls == 4


def test_an_error_names_worker_node_and_method() -> None:
    group = WorkerGroup(InProcessExecutor(2, dummy))
    with pytest.raises(
        WorkerError, match="worker 1 on this process, method 'fail': ValueError: told to fail"
    ):
        group.call({1: Call.to(Dummy.fail)})


@pytest.mark.parametrize("garbage", [b"", b"short", ANSWER[:-1], ANSWER + b"0", 8 * b"\0" + b"\xc1"])
def test_bytes_that_are_no_answer_are_the_workers_error(garbage: bytes) -> None:
    class Garbler(Worker):
        def begin(self, request: bytes | memoryview) -> Callable[[], bytes]:
            return lambda: garbage

    def create(context: ProcessContext, rank: int) -> Worker:
        return Garbler(context, rank, None, {})

    with pytest.raises(WorkerError, match="worker 0 on this process, method 'add': sent bytes"):
        WorkerGroup(InProcessExecutor(1, create)).call_all(Dummy.add, number=1)


def test_a_value_that_no_message_holds_is_the_workers_error() -> None:
    class Odd(Dummy):
        def take(self, shares: Sequence[bytes], weight: int) -> Any:
            return object()

        def begin(self) -> Any:
            return object()

    group = WorkerGroup(InProcessExecutor(2, partial(worker_of, Odd)))
    with pytest.raises(WorkerError, match="TypeError: a message holds no object"):
        group.all_gather(Dummy.give, Dummy.take, weight=1)
    with pytest.raises(WorkerError, match="TypeError: a message holds no object"):
        group.call_all(Dummy.begin)


def test_an_audit_names_the_faulty_worker_and_replaces_it() -> None:
    group = WorkerGroup(InProcessExecutor(3, in_turn(dummy, dummy, faulty_dummy)))
    group.call_all(Dummy.add, number=1)
    with group.proof():
        group.call_all(Dummy.add, number=1)
        assert group.call_all(Dummy.add, number=1) == [3, 3, 5]
        (faulty,) = group.audit(trusted)
        assert (faulty.rank, faulty.node, faulty.method, faulty.index) == (
            2,
            "this process",
            "add",
            1,
        )
        assert group.audit(trusted) == ()
    with group.proof():
        assert group.call_all(Dummy.echo, data=b"again") == [b"again"] * 3


def test_an_error_that_is_a_lie_is_found_too() -> None:
    class Coward(Dummy):
        def add(self, number: int) -> int:
            raise MemoryError("so it says")

    group = WorkerGroup(InProcessExecutor(2, in_turn(dummy, partial(worker_of, Coward))))
    with group.proof():
        with pytest.raises(WorkerError, match="so it says"):
            group.call_all(Dummy.add, number=1)
        assert [faulty.rank for faulty in group.audit(trusted)] == [1]


def test_an_audit_of_honest_workers_finds_nothing() -> None:
    group = WorkerGroup(InProcessExecutor(2, dummy))
    work(group)
    assert group.audit(trusted) == ()
