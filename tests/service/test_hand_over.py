"""A job goes from its submission to a runner that waits: once, whatever comes in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from deepprove_dist.service import statements
from deepprove_dist.service.events import JobEventKind
from deepprove_dist.service.hand_over import GivenJob, HandOver
from deepprove_dist.service.job import Job, JobState
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.loaded_keys import LoadedKeys
from deepprove_dist.service.runner import Runner
from deepprove_dist.service.sample_body import encode_inputs
from deepprove_dist.service.submission_checks import SubmissionOptions
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import ALICE, ROOM, SAMPLES, Parts

JOB = Job("a", 1, "alice", "plain", JobState.RUNNING, 0, b"", False, True, 0.0)
BODY = encode_inputs(SAMPLES)


def waiting(hand_over: HandOver, seconds: float = 60.0) -> tuple[threading.Thread, list[GivenJob | None]]:
    """A thread that waits as a runner does, and what it gets."""
    got: list[GivenJob | None] = []
    thread = threading.Thread(target=lambda: got.append(hand_over.wait(seconds)), daemon=True)
    thread.start()
    return thread, got


def reserve(hand_over: HandOver) -> None:
    """Once somebody waits."""
    end = time.monotonic() + 20
    while not hand_over.reserve():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_runner_that_waits_is_reserved_once_and_gets_the_job() -> None:
    hand_over = HandOver()
    assert not hand_over.reserve(), "nobody waits"
    thread, got = waiting(hand_over)
    reserve(hand_over)
    assert not hand_over.reserve(), "it waits for another job"
    hand_over.give(JOB, b"inputs")
    thread.join(20)
    assert got == [GivenJob(JOB, b"inputs")]
    assert not hand_over.reserve(), "it is busy"
    assert hand_over.wait(0.0) is None


def test_a_runner_that_is_reserved_waits_whatever_happens() -> None:
    """The row of its job may be written by now."""
    hand_over = HandOver()
    thread, got = waiting(hand_over, 0.2)
    reserve(hand_over)
    hand_over.wake()
    hand_over.close()
    thread.join(0.5)
    assert thread.is_alive()
    hand_over.give(JOB, b"inputs")
    thread.join(20)
    assert got == [GivenJob(JOB, b"inputs")]


def test_a_runner_whose_job_was_refused_goes_on() -> None:
    hand_over = HandOver()
    thread, got = waiting(hand_over)
    reserve(hand_over)
    hand_over.wake()
    hand_over.withdraw()
    thread.join(20)
    assert got == [None]


@pytest.mark.parametrize("tell", [HandOver.wake, HandOver.close])
def test_what_was_said_before_is_not_waited_for(tell: object) -> None:
    hand_over = HandOver()
    tell(hand_over)  # type: ignore[operator]
    begin = time.monotonic()
    assert hand_over.wait(60.0) is None
    assert time.monotonic() - begin < 20


def test_a_closed_runner_is_not_reserved() -> None:
    hand_over = HandOver()
    hand_over.close()
    thread, _ = waiting(hand_over)
    thread.join(20)
    assert not hand_over.reserve()


@pytest.fixture
def runner(parts: Parts) -> Iterator[Runner]:
    hand_over = HandOver()
    loaded = LoadedKeys(ROOM, threads=1)
    runner = Runner(
        *(parts.store, parts.artifacts, parts.served, loaded, None, parts.events.append),
        hand_over=hand_over,
        finished=lambda job, proof: parts.handed.append((job, proof)),
    )
    runner.start()
    yield runner
    assert runner.drain(60.0)


def service(parts: Parts, runner: Runner) -> JobService:
    return JobService(
        parts.served, parts.store, parts.artifacts, observe=parts.events.append, hand_over=runner._hand_over
    )


def submit(jobs: JobService, key: str = "plain", idempotency_key: str | None = None) -> Job:
    options = SubmissionOptions(range(1), idempotency_key=idempotency_key)
    return jobs.submit(ALICE, key, BODY, "application/msgpack", options)[0]


def await_done(parts: Parts, job: Job) -> Job:
    end = time.monotonic() + 60
    while not (present := parts.store.get(job.id)).state.ended:
        assert time.monotonic() < end
        time.sleep(0.01)
    return present


def submit_to_the_waiting(parts: Parts, runner: Runner) -> Job:
    """A job that its runner had from the beginning: it waits most of the time."""
    jobs, end = service(parts, runner), time.monotonic() + 60
    while (job := submit(jobs)).state is not JobState.RUNNING:
        await_done(parts, job)
        assert time.monotonic() < end
        time.sleep(0.01)
    return job


def test_a_job_begins_with_its_row(parts: Parts, runner: Runner) -> None:
    job = submit_to_the_waiting(parts, runner)
    assert (job.runner, job.attempts, job.started) == (runner.id, 1, parts.now)
    done = await_done(parts, job)
    assert done.state is JobState.DONE
    assert parts.proof(done) == transparent_keys().prove(X).content
    kinds = [event.kind for event in parts.events if event.job == job.id]
    assert sorted(kinds) == sorted([JobEventKind.ACCEPTED, JobEventKind.STARTED, JobEventKind.DONE])


def test_a_finished_job_is_handed_over_as_the_store_has_it(parts: Parts, runner: Runner) -> None:
    done = await_done(parts, submit_to_the_waiting(parts, runner))
    (handed, proof) = next(entry for entry in parts.handed if entry[0].id == done.id)
    assert handed.fields() == done.fields()
    assert proof == parts.store.proof(done)


def test_a_job_that_a_dead_runner_was_given_is_begun_again(parts: Parts) -> None:
    hand_over = HandOver()
    thread, got = waiting(hand_over)
    jobs = JobService(parts.served, parts.store, parts.artifacts, hand_over=hand_over)
    job = submit_when_free(jobs, hand_over)
    thread.join(20)
    assert got
    assert parts.store.leases.claim("another", keys=("plain",)) is None
    parts.now += 60.0
    returned, failed = parts.store.leases.recover()
    assert ([other.id for other in returned], failed) == ([job.id], [])
    again = parts.store.leases.claim("another", keys=("plain",))
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 2)
    assert parts.store.inputs(again) == BODY


def test_with_a_queue_a_job_waits_for_its_turn(parts: Parts) -> None:
    hand_over = HandOver()
    thread, _ = waiting(hand_over)
    jobs = JobService(parts.served, parts.store, parts.artifacts, hand_over=hand_over)
    parts.submit(client="bob")
    assert submit(jobs).state is JobState.QUEUED
    hand_over.wake()
    thread.join(20)


def test_a_submission_that_is_known_or_not_kept_gives_the_runner_back(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over = HandOver()
    thread, _ = waiting(hand_over)
    jobs = JobService(parts.served, parts.store, parts.artifacts, hand_over=hand_over)
    known = parts.submit(idempotency_key="once")
    assert submit(jobs, idempotency_key="once").id == known
    assert parts.store.leases.claim("another", keys=("plain",)) is not None
    reserve(hand_over)
    hand_over.withdraw()

    with monkeypatch.context() as patch:
        patch.setattr(statements, "INSERT", text("INSERT INTO nowhere VALUES (1)"))
        with pytest.raises(SQLAlchemyError):
            submit(jobs)
    assert submit(jobs).state is JobState.RUNNING, "the runner was given back, and is reserved again"
    thread.join(20)


def submit_when_free(jobs: JobService, hand_over: HandOver) -> Job:
    """A job that is given to who waits."""
    reserve(hand_over)
    hand_over.withdraw()
    job = submit(jobs)
    assert job.state is JobState.RUNNING
    return job
