from __future__ import annotations

import asyncio

from deepprove_dist.service import waiting
from deepprove_dist.service.events import JobEvent, JobEventKind
from deepprove_dist.service.job import Job, JobState
from deepprove_dist.service.waiting import Waiters


def event(kind: JobEventKind, job: str) -> JobEvent:
    return JobEvent(kind, job, "alice", "key")


def test_the_end_of_a_job_wakes_those_who_wait_for_it() -> None:
    async def run() -> None:
        waiters = Waiters()
        with waiters.waiting("a") as first, waiters.waiting("a") as second, waiters.waiting("b") as other:
            waiters.observe(event(JobEventKind.STARTED, "a"))
            await asyncio.sleep(0)
            assert not first.ended.is_set()
            await asyncio.to_thread(waiters.observe, event(JobEventKind.DONE, "a"))
            await asyncio.wait_for(asyncio.gather(first.ended.wait(), second.ended.wait()), 60)
            assert not other.ended.is_set()
        assert waiters._waits == {}

    asyncio.run(run())


def test_who_comes_too_late_need_not_wait() -> None:
    """So a request that has just submitted a job need not look for it at once."""

    async def run() -> None:
        waiters = Waiters()
        for job in ("a", "b"):
            waiters.observe(event(JobEventKind.FAILED, job))
        with waiters.waiting("a") as late, waiters.waiting("c") as other:
            assert late.ended.is_set()
            assert not other.ended.is_set()
        # The oldest ones are forgotten: whoever asks for them looks at the job first.
        for number in range(waiting.REMEMBERED):
            waiters.observe(event(JobEventKind.DONE, str(number)))
        with waiters.waiting("a") as late:
            assert not late.ended.is_set()

    asyncio.run(run())


def test_what_a_runner_hands_over_is_for_those_who_wait_for_its_job() -> None:
    done = Job("a", 1, "alice", "key", JobState.DONE, 0, b"", False, True, 0.0)

    async def run() -> None:
        waiters = Waiters()
        with waiters.waiting("a") as wait, waiters.waiting("b") as other:
            await asyncio.to_thread(waiters.hand_over, done, b"proof")
            await asyncio.to_thread(waiters.observe, event(JobEventKind.DONE, "a"))
            await asyncio.wait_for(wait.ended.wait(), 60)
            assert (wait.done, wait.proof) == (done, b"proof")
            assert (other.done, other.ended.is_set()) == (None, False)
        # It is nowhere afterwards: whoever comes later asks the store.
        with waiters.waiting("a") as late:
            assert (late.done, late.ended.is_set()) == (None, True)
        assert len(waiters._ended) == 1

    asyncio.run(run())
