from __future__ import annotations

import asyncio

from deepprove_dist.service import waiting
from deepprove_dist.service.events import JobEvent, JobEventKind
from deepprove_dist.service.waiting import Waiters


def event(kind: JobEventKind, job: str) -> JobEvent:
    return JobEvent(kind, job, "alice", "key")


def test_the_end_of_a_job_wakes_those_who_wait_for_it() -> None:
    async def run() -> None:
        waiters = Waiters()
        with waiters.waiting("a") as first, waiters.waiting("a") as second, waiters.waiting("b") as other:
            waiters.observe(event(JobEventKind.STARTED, "a"))
            await asyncio.sleep(0)
            assert not first.is_set()
            await asyncio.to_thread(waiters.observe, event(JobEventKind.DONE, "a"))
            await asyncio.wait_for(asyncio.gather(first.wait(), second.wait()), 60)
            assert not other.is_set()
        assert waiters._events == {}

    asyncio.run(run())


def test_who_comes_too_late_need_not_wait() -> None:
    """So a request that has just submitted a job need not look for it at once."""

    async def run() -> None:
        waiters = Waiters()
        for job in ("a", "b"):
            waiters.observe(event(JobEventKind.FAILED, job))
        with waiters.waiting("a") as ended, waiters.waiting("c") as other:
            assert ended.is_set()
            assert not other.is_set()
        # The oldest ones are forgotten: whoever asks for them looks at the job first.
        for number in range(waiting.REMEMBERED):
            waiters.observe(event(JobEventKind.DONE, str(number)))
        with waiters.waiting("a") as ended:
            assert not ended.is_set()

    asyncio.run(run())
