"""Every loss, failure and fallback is a line in the log and a record of the report."""

from __future__ import annotations

import json
import logging

import pytest

from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.workers.worker import ProcessContext, Worker
from tests.execution.dummy import Dummy, dummy, faulty_dummy, in_turn, trusted, worker_of
from tests.execution.unreliable import Unreliable


class Clock:
    """Each look takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_loss_has_its_reason_its_replay_and_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = RecoveryLog(clock=Clock(), wall=lambda: 1.7e9)
    group = WorkerGroup(Unreliable(2, {2: [1]}), FailurePolicy(Budget(per_rank=3)), log)
    for _ in range(3):
        group.call_all(Dummy.add, number=1)
    report = json.loads(json.dumps(group.recovery.report()))
    assert report["counts"] == {
        "losses": 1,
        "replacements": 1,
        "moves": 0,
        "replayed_calls": 2,
        "faulty_workers": 0,
        "fallbacks": 0,
    }
    assert report["losses"] == [
        {
            "worker": 1,
            "node": "this process",
            "reason": "the test says so, in 'add'",
            "action": "replaced",
            "new_node": "this process",
            "noticed": 1.7e9,
            "start_seconds": 1.0,
            "replayed_calls": 2,
            "seconds": 2.0,
            "losses_left": 2,
            "losses_left_in_all": 31,
        }
    ]
    lost, again = (record.getMessage() for record in caplog.records)
    assert lost.startswith("worker 1 on this process is replaced by a new one on this process: the test says")
    assert again == "worker 1 has its state again: 2 calls made again, 2.0 s in all, 1.0 s of them to start"


def test_a_full_cluster_is_a_fallback_and_a_move() -> None:
    group = WorkerGroup(Unreliable(2, {0: [1]}, full=True))
    group.call_all(Dummy.add, number=1)
    report = group.recovery.report()
    assert report["fallbacks"] == ["no place for a new worker 1: the test says so"]
    assert report["counts"]["moves"] == 1
    assert report["losses"][0]["action"] == "moved"


def test_other_bytes_are_a_wrong_answer() -> None:
    group = WorkerGroup(InProcessExecutor(2, in_turn(dummy, faulty_dummy)))
    with group.proof():
        group.call_all(Dummy.add, number=1)
        group.call_all(Dummy.add, number=1)
        (worker,) = group.audit(trusted)
    assert str(worker) == "worker 1 on this process answered wrongly (call 1, 'add')"
    assert group.recovery.report()["faulty_workers"][0]["failure"] == ""
    assert group.recovery.losses[0].reason == "wrong answer to 'add'"


class Full(Dummy):
    """Has no memory."""

    def add(self, number: int) -> int:
        raise MemoryError


def full(context: ProcessContext, rank: int) -> Worker:
    return worker_of(Full, context, rank)


def test_an_error_is_a_failure_and_no_lie() -> None:
    group = WorkerGroup(InProcessExecutor(2, in_turn(dummy, full)))
    with group.proof():
        with pytest.raises(Exception, match=r"worker 1 .*'add': out of memory"):
            group.call_all(Dummy.add, number=1)
        (worker,) = group.audit(trusted)
    assert str(worker) == "worker 1 on this process failed: out of memory (call 0, 'add')"
    assert group.recovery.losses[0].reason == "it failed in 'add': out of memory"


def test_a_call_that_ends_whoever_runs_it_is_named() -> None:
    group = WorkerGroup(Unreliable(1, {call: [0] for call in range(10)}))
    with pytest.raises(Exception, match=r"worker 0 was lost too often, the last time by: .*, in 'echo'"):
        group.call({0: Call.to(Dummy.echo, data=b"")})
    assert [loss.action for loss in group.recovery.losses] == ["replaced"] * 3 + ["given up"]


def test_what_was_forgotten_is_in_no_report() -> None:
    group = WorkerGroup(Unreliable(2, {1: [0], 4: [1]}))
    group.call_all(Dummy.add, number=1)
    group.call_all(Dummy.add, number=1)
    before = group.recovery.report()
    group.recovery.forget()
    assert group.recovery.report()["counts"] == dict.fromkeys(before["counts"], 0)
    group.call_all(Dummy.add, number=1)
    (loss,) = group.recovery.report()["losses"]
    assert [lost["worker"] for lost in before["losses"]] == [0]
    assert loss["worker"] == 1
