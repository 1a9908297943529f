"""What becomes of a job: its proof, or the reason why there is none. The runner goes on whatever happens."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import deepprove_dist as dp
from deepprove_dist import proving
from deepprove_dist.errors import DeepProveError, ExecutionError, MemoryLimitError
from deepprove_dist.service import runner as runner_module
from deepprove_dist.service.events import JobEventKind
from deepprove_dist.service.job import FailureCode, Job, JobState
from deepprove_dist.service.job_trace import JobStopped, StopReason
from deepprove_dist.service.leases import LEASE_SECONDS, MAX_ATTEMPTS
from deepprove_dist.service.runner import Runner, RunnerOptions
from deepprove_dist.service.store import INLINE_BYTES
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import INPUTS, Parts


@pytest.fixture
def runner(parts: Parts) -> Runner:
    return parts.runner()


def step(runner: Runner, parts: Parts) -> Job:
    """Does the next job in this thread."""
    job = parts.store.leases.claim(runner.id, keys=tuple(parts.served))
    assert job is not None
    runner._take(job)
    return parts.store.get(job.id)


def failing(monkeypatch: pytest.MonkeyPatch, *errors: BaseException) -> None:
    """The next proofs fail so."""
    prove, remaining = proving.prove, list(errors)

    def unreliable(*arguments: Any, **more: Any) -> Any:
        if remaining:
            raise remaining.pop(0)
        return prove(*arguments, **more)

    monkeypatch.setattr(runner_module, "prove", unreliable)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_proof_has_the_bytes_that_the_key_makes(runner: Runner, parts: Parts) -> None:
    parts.submit(context=b"nonce")
    job = step(runner, parts)
    expected = transparent_keys().prove(X, context=b"nonce")
    assert job.state is JobState.DONE
    assert parts.proof(job) == expected.content
    assert job.result is not None
    assert job.result["output"] == {name: values.tolist() for name, values in expected.output.items()}
    assert job.result["proof_bytes"] == len(expected)
    assert {"loading", "inference", "opening", "self-check"} <= set(job.phases)
    assert parts.store.inputs(job) is None
    kinds = [event.kind for event in parts.events]
    assert kinds == [JobEventKind.STARTED, JobEventKind.DONE]
    assert parts.events[-1].phases == job.phases


@pytest.mark.parametrize(
    ("key", "in_row", "durable"), [("plain", True, False), ("plain", False, True), ("hiding", True, True)]
)
def test_what_could_not_be_made_again_waits_for_the_disk(
    key: str, in_row: bool, durable: bool, runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inputs that are files go with the end of the job, and numbers of proofs are counted."""
    finish, asked = parts.store.leases.finish, list[bool]()

    def note(*arguments: Any, durable: bool) -> None:
        asked.append(durable)
        finish(*arguments, durable=durable)

    monkeypatch.setattr(parts.store.leases, "finish", note)
    job = parts.submit(key)
    if not in_row:
        monkeypatch.setattr(parts.store, "inputs", lambda _: None)
        parts.artifacts.write(job, 0, "inputs", INPUTS)
    assert step(runner, parts).state is JobState.DONE
    assert asked == [durable]


def test_a_proof_by_a_runner_that_died_has_the_same_bytes(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a hiding one, whose random values follow from the number that the first runner took."""
    parts.submit("hiding")
    before, proofs = parts.served["hiding"].remaining, []
    first = parts.runner()

    def die(job: Job, proof: dp.Proof, *_: object, durable: bool) -> None:
        proofs.append(proof.content)
        raise SystemExit(1)

    with monkeypatch.context() as patch:
        # It dies with the proof in hand.
        patch.setattr(first, "_keep", die)
        with pytest.raises(SystemExit):
            step(first, parts)
    parts.now += LEASE_SECONDS + 1
    parts.store.leases.recover()
    job = step(parts.runner(), parts)
    assert job.attempts == 2
    assert parts.proof(job) == proofs[0]
    assert parts.events[-1].remaining == before - 1  # type: ignore[operator]
    verifying = dp.VerifyingKey.load(parts.served["hiding"].folder / "verifying.key")
    verifying.verify(proofs[0])


def test_two_hiding_proofs_differ(runner: Runner, parts: Parts) -> None:
    contents = set()
    for _ in range(2):
        parts.submit("hiding")
        contents.add(parts.proof(step(runner, parts)))
    assert len(contents) == 2


@pytest.mark.parametrize(
    ("reason", "state", "code"),
    [
        (StopReason.CANCELLED, JobState.CANCELLED, None),
        (StopReason.DEADLINE, JobState.FAILED, FailureCode.DEADLINE),
        (StopReason.TIMEOUT, JobState.FAILED, FailureCode.TIMEOUT),
        (StopReason.DRAINING, JobState.QUEUED, None),
    ],
)
def test_a_proof_that_is_stopped(
    runner: Runner,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
    reason: StopReason,
    state: JobState,
    code: FailureCode | None,
) -> None:
    failing(monkeypatch, JobStopped(reason))
    parts.submit()
    job = step(runner, parts)
    assert (job.state, job.code) == (state, code)
    # Stopping says nothing against the job.
    assert job.attempts == (0 if state is JobState.QUEUED else 1)
    assert (parts.events[-1].kind is JobEventKind.RETURNED) == (state is JobState.QUEUED)


@pytest.mark.parametrize("reason", [StopReason.CANCELLED, StopReason.DEADLINE, StopReason.TIMEOUT])
def test_the_second_thread_stops_what_is_not_wanted(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, reason: StopReason
) -> None:
    monkeypatch.setattr(runner_module, "RENEW_SECONDS", 0.02)
    prove, begun, gate = proving.prove, threading.Event(), threading.Event()

    def waiting(*arguments: Any, **more: Any) -> Any:
        begun.set()
        gate.wait(20)
        return prove(*arguments, **more)

    monkeypatch.setattr(runner_module, "prove", waiting)
    runner = parts.runner(RunnerOptions(job_seconds=5.0))
    job_id = parts.submit(seconds=4.0 if reason is StopReason.DEADLINE else None)
    runner.start()
    try:
        assert begun.wait(20)
        assert parts.store.get(job_id).state is JobState.RUNNING
        if reason is StopReason.CANCELLED:
            parts.store.cancel(job_id, "alice")
        parts.now += {StopReason.DEADLINE: 5.0, StopReason.TIMEOUT: 6.0}.get(reason, 0.0)
        current = runner._current
        assert current is not None
        eventually(lambda: current[1].stop is reason)
        gate.set()
        eventually(lambda: parts.store.get(job_id).state.ended)
    finally:
        gate.set()
        runner.drain(20)
    assert parts.store.get(job_id).proof is None


def test_a_runner_finishes_its_proof_when_it_is_drained(parts: Parts) -> None:
    first, second = parts.submit(), parts.submit("hiding")
    runner = parts.runner()
    begun = threading.Event()

    def observe(event: Any) -> None:
        if event.kind is JobEventKind.STARTED:
            begun.set()
            runner.begin_drain()

    runner._observe = observe
    runner.start()
    assert begun.wait(20)
    assert runner.drain(20)
    assert parts.store.get(first).state is JobState.DONE
    assert parts.store.get(second).state is JobState.QUEUED
    assert parts.store.runners.alive() == []


def test_a_proof_that_takes_longer_than_the_drain_goes_back(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove, begun = proving.prove, threading.Event()

    def slow(*arguments: Any, **more: Any) -> Any:
        begun.set()
        time.sleep(0.3)
        return prove(*arguments, **more)

    monkeypatch.setattr(runner_module, "prove", slow)
    job_id = parts.submit()
    runner = parts.runner()
    runner.start()
    assert begun.wait(20)
    assert not runner.drain(0.01)
    job = parts.store.get(job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


@pytest.mark.parametrize("error", [ExecutionError("lost"), OSError("full"), MemoryError("large")])
def test_what_another_attempt_may_help_is_tried_again(
    runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, error)
    parts.submit()
    assert step(runner, parts).state is JobState.QUEUED
    assert step(runner, parts).state is JobState.DONE


def test_attempts_are_counted(runner: Runner, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, *[ExecutionError("lost")] * MAX_ATTEMPTS)
    parts.submit()
    states = [step(runner, parts).state for _ in range(MAX_ATTEMPTS)]
    assert states == [JobState.QUEUED] * (MAX_ATTEMPTS - 1) + [JobState.FAILED]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (dp.InputError("not so"), FailureCode.INPUT),
        (dp.BudgetError("none left"), FailureCode.BUDGET),
        (MemoryLimitError(2, 1), FailureCode.MEMORY),
        (DeepProveError("odd"), FailureCode.INTERNAL),
        (ZeroDivisionError("odd"), FailureCode.INTERNAL),
    ],
)
def test_what_no_attempt_helps_fails(
    runner: Runner,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: FailureCode,
) -> None:
    logging.getLogger(runner_module.__name__).setLevel(logging.CRITICAL)
    failing(monkeypatch, error)
    parts.submit()
    job = step(runner, parts)
    assert (job.state, job.code, job.problem) == (JobState.FAILED, code, str(error))
    assert parts.events[-1].kind is JobEventKind.FAILED
    parts.submit()
    assert step(runner, parts).state is JobState.DONE


def test_a_key_that_is_rekeyed_while_it_is_loaded_goes_on(runner: Runner, parts: Parts) -> None:
    parts.submit("hiding")
    assert step(runner, parts).state is JobState.DONE
    dp.ProvingKey.rekey_folder(parts.served["hiding"].folder, threads=1)
    parts.submit("hiding")
    job = step(runner, parts)
    assert job.result is not None
    assert job.result["epoch"] == 1


def test_a_spent_key_is_rekeyed_where_the_operator_says_so(parts: Parts) -> None:
    key = dp.ProvingKey.load(parts.served["hiding"].folder, threads=1)
    for _ in range(key.remaining or 0):
        key.prove(X)
    parts.submit("hiding")
    assert step(parts.runner(), parts).code is FailureCode.BUDGET
    parts.submit("hiding")
    job = step(parts.runner(RunnerOptions(auto_rekey=True)), parts)
    assert job.result is not None
    assert job.result["epoch"] == 1


@pytest.mark.parametrize("longest", [0, INLINE_BYTES])
def test_old_jobs_go_with_their_proofs(longest: int, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long ones are files, others are in the database."""
    monkeypatch.setattr(runner_module, "INLINE_BYTES", longest)
    runner = parts.runner(RunnerOptions(keep_seconds=100.0))
    parts.submit()
    job = step(runner, parts)
    assert (job.proof is None, parts.store.proof(job) is None) == (longest > 0, longest == 0)
    runner._caretaker.look_after()
    assert parts.store.get(job.id) == job
    assert parts.proof(job) == transparent_keys().prove(X).content
    parts.now += 101.0
    runner._caretaker.look_after()
    with pytest.raises(KeyError):
        parts.store.get(job.id)
    assert parts.store.proof(job) is None
    assert [*(parts.folder / "artifacts").iterdir()] == []


def test_jobs_of_dead_runners_and_late_ones_are_looked_after(runner: Runner, parts: Parts) -> None:
    lost, late = parts.submit(priority=1), parts.submit(seconds=5.0)
    assert parts.store.leases.claim("dead", keys=("plain",)) is not None
    parts.now += LEASE_SECONDS + 1
    runner._caretaker.look_after()
    assert parts.store.get(lost).state is JobState.QUEUED
    assert parts.store.get(late).code is FailureCode.DEADLINE
    assert [event.kind for event in parts.events] == [JobEventKind.RETURNED, JobEventKind.FAILED]
