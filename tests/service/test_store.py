"""Jobs in a database: none is lost, none runs twice, and a runner that was thought dead changes nothing."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.service.job import FailureCode, JobState, Submission
from deepprove_dist.service.leases import LEASE_SECONDS, MAX_ATTEMPTS, LeaseLost
from deepprove_dist.service.store import JobStore, Kept, SubmissionConflict

KEYS = ("k", "other")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> JobStore:
    return JobStore(f"sqlite:///{tmp_path / 'jobs'}", clock)


def submit(store: JobStore, client: str = "a", **more: object) -> str:
    submission = Submission(client, "k", b"inputs", **more)  # type: ignore[arg-type]
    return store.submit(submission, lambda job: Kept())[0].id


def test_a_job_has_what_was_submitted(store: JobStore, clock: Clock) -> None:
    job = store.get(submit(store, context=b"\x00c", clamp=True, carry=False, priority=3, seconds=5.0))
    assert (job.context, job.clamp, job.carry, job.priority) == (b"\x00c", True, False, 3)
    assert (job.state, job.created, job.deadline) == (JobState.QUEUED, clock.now, clock.now + 5.0)


def test_inputs_are_kept_before_the_job_is_accepted(store: JobStore) -> None:
    def keep(job: str) -> Kept:
        with pytest.raises(KeyError):
            store.get(job)
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        store.submit(Submission("a", "k", b""), keep)
    assert store.list_jobs("a") == []


def test_one_idempotency_key_is_one_job(store: JobStore) -> None:
    first, new = store.submit(Submission("a", "k", b"x", idempotency_key="i"), lambda job: Kept())
    again, again_new = store.submit(Submission("a", "k", b"x", idempotency_key="i"), pytest.fail)
    assert (new, again_new) == (True, False)
    assert again.id == first.id
    other, other_new = store.submit(Submission("b", "k", b"x", idempotency_key="i"), lambda job: Kept())
    assert other_new
    assert other.id != first.id


@pytest.mark.parametrize(
    "change", [{"inputs": b"y"}, {"key": "other"}, {"context": b"c"}, {"clamp": True}, {"priority": 1}]
)
def test_one_idempotency_key_is_no_other_submission(store: JobStore, change: dict[str, object]) -> None:
    fields: dict[str, object] = {"client": "a", "key": "k", "inputs": b"x", "idempotency_key": "i"}
    store.submit(Submission(**fields), lambda job: Kept())  # type: ignore[arg-type]
    with pytest.raises(SubmissionConflict, match="'i' was used for another submission"):
        store.submit(Submission(**{**fields, **change}), pytest.fail)  # type: ignore[arg-type]


def test_the_same_submission_twice_at_once_is_one_job(store: JobStore) -> None:
    together, ids = threading.Barrier(4), []

    def wait(_: str) -> Kept:
        together.wait()
        return Kept()

    def send() -> None:
        submission = Submission("a", "k", b"x", idempotency_key="i")
        ids.append(store.submit(submission, wait)[0].id)

    in_threads(send, 4)
    assert len({*ids}) == 1
    assert len(store.list_jobs("a")) == 1


def test_no_job_is_claimed_twice(store: JobStore) -> None:
    ids = {submit(store) for _ in range(8)}
    claimed: list[str] = []

    def take() -> None:
        while (job := store.leases.claim(str(threading.get_ident()), keys=KEYS)) is not None:
            claimed.append(job.id)

    in_threads(take, 4)
    assert sorted(claimed) == sorted(ids)


def test_a_runner_claims_only_what_it_can_prove(store: JobStore) -> None:
    submit(store)
    assert store.leases.claim("r", keys=("other",)) is None
    assert store.leases.claim("r", keys=KEYS) is not None


def test_clients_take_turns_by_the_time_that_their_proofs_took(store: JobStore, clock: Clock) -> None:
    jobs = {submit(store, client): client for client in "aaab"}
    order = []
    while (job := store.leases.claim("r", keys=KEYS)) is not None:
        order.append(jobs[job.id])
        clock.now += 2.0
        store.leases.finish(job, "where", {})
    assert order == ["a", "b", "a", "a"]


def test_a_finished_job_has_its_result(store: JobStore, clock: Clock) -> None:
    submit(store)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    clock.now += 1.0
    renewed = store.leases.renew(job, "opening", {"lookups": 0.5})
    assert (renewed.phase, renewed.phases, renewed.attempts) == ("opening", {"lookups": 0.5}, 1)
    store.leases.finish(job, "where", {"proof_bytes": 3}, {"opening": 1.0})
    done = store.get(job.id)
    assert (done.state, done.proof, done.result) == (JobState.DONE, "where", {"proof_bytes": 3})
    assert (done.phase, done.phases, done.finished) == (None, {"opening": 1.0}, clock.now)


def test_a_short_proof_is_in_the_database_until_its_job_is_removed(store: JobStore, clock: Clock) -> None:
    submit(store)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    clock.now += LEASE_SECONDS + 1
    store.leases.recover()
    second = store.leases.claim("s", keys=KEYS)
    assert second is not None
    with pytest.raises(LeaseLost):
        store.leases.finish(job, b"too late", {})
    assert store.proof(job) is None
    store.leases.finish(second, b"proof", {})
    done = store.get(job.id)
    assert (done.state, done.proof, store.proof(done)) == (JobState.DONE, None, b"proof")
    store.remove(done)
    assert store.proof(done) is None


def test_a_runner_without_its_lease_changes_nothing(store: JobStore, clock: Clock) -> None:
    submit(store)
    old = store.leases.claim("r", keys=KEYS)
    assert old is not None
    clock.now += LEASE_SECONDS + 1
    store.leases.recover()
    new = store.leases.claim("r", keys=KEYS)
    assert new is not None
    changes: list[Callable[[], object]] = [
        lambda: store.leases.renew(old, None, {}),
        lambda: store.leases.reserve(old, Reservation.draw(0, 1)),
        lambda: store.leases.finish(old, "where", {}),
        lambda: store.leases.fail(old, FailureCode.INTERNAL, ""),
        lambda: store.leases.abandon(old),
        lambda: store.leases.give_back(old),
    ]
    for change in changes:
        with pytest.raises(LeaseLost):
            change()
    assert store.get(new.id) == new
    store.leases.finish(new, "where", {})


def test_a_job_whose_runner_is_dead_goes_back_to_the_queue(store: JobStore, clock: Clock) -> None:
    job_id = submit(store)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        job = store.leases.claim("r", keys=KEYS)
        assert job is not None
        assert job.attempts == attempt
        assert store.leases.recover() == ([], [])
        clock.now += LEASE_SECONDS + 1
        returned, failed = store.leases.recover()
        assert [len(returned), len(failed)] == ([1, 0] if attempt < MAX_ATTEMPTS else [0, 1])
    assert store.get(job_id).code is FailureCode.ATTEMPTS
    assert store.leases.claim("r", keys=KEYS) is None


def test_who_has_the_store_alone_waits_for_no_lease(store: JobStore) -> None:
    submit(store)
    assert store.leases.claim("r", keys=KEYS) is not None
    assert len(store.leases.recover(alone=True)[0]) == 1


def test_a_job_that_was_given_back_uncounted_is_as_before(store: JobStore) -> None:
    submit(store)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    store.leases.give_back(job, counted=False)
    assert store.get(job.id).attempts == 0
    assert store.get(job.id).state is JobState.QUEUED


def test_cancelling(store: JobStore, clock: Clock) -> None:
    waits, runs = submit(store), submit(store, priority=1)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    assert job.id == runs
    assert store.cancel(waits, "a").state is JobState.CANCELLED
    assert store.cancel(runs, "a").state is JobState.RUNNING
    assert store.leases.renew(job, None, {}).stopping
    assert store.leases.abandon(job).state is JobState.CANCELLED
    assert store.cancel(runs, "a").state is JobState.CANCELLED
    with pytest.raises(KeyError):
        store.cancel(runs, "b")


def test_a_cancelled_job_is_not_begun_again_when_its_runner_died(store: JobStore) -> None:
    submit(store)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    store.cancel(job.id, "a")
    store.leases.recover(alone=True)
    assert store.get(job.id).state is JobState.CANCELLED


def test_jobs_that_wait_at_their_deadline_fail(store: JobStore, clock: Clock) -> None:
    late, patient = submit(store, seconds=5.0), submit(store)
    clock.now += 6.0
    assert [job.id for job in store.expire()] == [late]
    assert store.get(late).code is FailureCode.DEADLINE
    assert store.get(patient).state is JobState.QUEUED


def test_old_jobs_are_removed_and_others_are_not(store: JobStore, clock: Clock) -> None:
    submit(store)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    store.leases.finish(job, "where", {})
    clock.now += 10.0
    submit(store)
    assert store.list_old(11.0) == []
    (old,) = store.list_old(9.0)
    store.remove(old)
    assert [job.sequence for job in store.list_jobs("a")] == [2]


def test_lists_are_of_one_client_and_come_in_pages(store: JobStore) -> None:
    ids = [submit(store) for _ in range(3)]
    submit(store, "b")
    assert [job.id for job in store.list_jobs("a", limit=2)] == [ids[2], ids[1]]
    assert [job.id for job in store.list_jobs("a", before=2)] == [ids[0]]
    assert store.list_jobs("a", JobState.DONE) == []
    assert store.counts()["queued"] == 4
    assert store.counts("b") == {"queued": 1, "running": 0, "done": 0, "failed": 0, "cancelled": 0}


def test_a_number_is_kept_with_its_job(store: JobStore) -> None:
    submit(store)
    job = store.leases.claim("r", keys=KEYS)
    assert job is not None
    reservation = Reservation.draw(2, 7)
    store.leases.reserve(job, reservation)
    store.leases.give_back(job)
    again = store.leases.claim("r", keys=KEYS)
    assert again is not None
    assert again.reservation == reservation


def test_runners_are_seen_for_as_long_as_they_say_so(store: JobStore, clock: Clock) -> None:
    store.runners.report("r", 1.0, {"job": "j"})
    store.runners.report("r", 1.0, {"job": None})
    (record,) = store.runners.alive()
    assert (record.id, record.status) == ("r", {"job": None})
    clock.now += LEASE_SECONDS + 1
    assert store.runners.alive() == []
    store.runners.report("s", 1.0, {})
    store.runners.remove("s")
    assert store.runners.alive() == []


def test_an_accepted_job_is_on_disk(
    store: JobStore, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runners see it before: what was on disk when the machine lost its power is what was synced last."""
    disk, seen = tmp_path / "disk", list[JobState]()
    disk.mkdir()

    def keep(file: int) -> None:
        for path in tmp_path.glob("jobs*"):
            shutil.copy(path, disk)

    monkeypatch.setattr(os, "fsync", keep)
    submission = Submission("a", "k", b"inputs")
    job, _ = store.submit(
        submission, lambda _: Kept(b"inputs"), lambda job: seen.append(store.get(job.id).state)
    )
    assert seen == [JobState.QUEUED]
    held = store.leases.claim("r", keys=KEYS)
    assert held is not None
    store.leases.finish(held, b"proof", {}, durable=False)
    assert store.proof(job) == b"proof"
    after = JobStore(f"sqlite:///{disk / 'jobs'}", clock)
    assert (after.get(job.id), after.inputs(job)) == (job, b"inputs")


def test_a_submission_that_is_sent_twice_waits_for_the_disk_twice(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one may not have been there."""
    submit(store, idempotency_key="once")
    synced = list[int]()
    monkeypatch.setattr(os, "fsync", synced.append)
    submit(store, idempotency_key="once")
    assert synced


def test_jobs_outlast_the_process(store: JobStore, tmp_path: Path, clock: Clock) -> None:
    job_id = submit(store)
    store.close()
    assert JobStore(f"sqlite:///{tmp_path / 'jobs'}", clock).get(job_id).state is JobState.QUEUED


def in_threads(work: Callable[[], object], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_long_queue_is_served_in_the_same_order(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a few rows of it are compared."""
    monkeypatch.setattr("deepprove_dist.service.turns.JOBS_COMPARED", 2)
    late, plain = submit(store), [submit(store) for _ in range(4)]
    first, second = submit(store, seconds=90.0), submit(store, seconds=50.0)
    urgent = submit(store, "b", priority=1)
    order = []
    while (job := store.leases.claim("r", keys=KEYS)) is not None:
        order.append(job.id)
    assert order == [urgent, second, first, late, *plain]
