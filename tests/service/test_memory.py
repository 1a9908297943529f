"""A service does not grow with the jobs that it has done."""

from __future__ import annotations

import gc
import json
import logging
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deepprove_dist.execution.group.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.loaded_keys import LoadedKeys
from deepprove_dist.service.submission_checks import SubmissionOptions
from tests.execution.unreliable import Unreliable
from tests.hiding_keys import X
from tests.service.conftest import ALICE, ROOM, Parts

BODY = json.dumps({"input_data": X.reshape(1, -1).tolist()}).encode()
WARM, COUNTED = 20, 100
"""Jobs: what interned strings and caches of libraries take besides is some 20 KB in all."""
MOST_BYTES = 600
"""For each job: the records of the workers that were lost in it alone have more."""

CURSORS = tracemalloc.Filter(inclusive=False, filename_pattern="*/sqlalchemy/pool/base.py")
"""A connection to SQLite has weak references to its last 200 cursors, and drops them together."""

TRACES = tracemalloc.Filter(inclusive=False, filename_pattern=tracemalloc.__file__)


@contextmanager
def failing_group() -> Iterator[WorkerGroup]:
    """Two workers in this process, one of whom is lost in nearly every proof."""
    losses = {call: [call // 5 % 2] for call in range(20, 10_000, 5)}
    group = WorkerGroup(
        Unreliable(2, losses, worker=create_worker), FailurePolicy(Budget(100, 100, window=0.0))
    )
    yield group


def test_nothing_stays_of_a_job_but_its_row_and_its_proof(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    # Records of the log would stay in the test.
    caplog.set_level(logging.CRITICAL)
    jobs = JobService(parts.served, parts.store, parts.artifacts, observe=lambda _: None)
    runner = parts.runner(loaded=LoadedKeys(ROOM, threads=1, open_group=failing_group, share_small=True))
    sizes: list[int] = []

    def prove(count: int) -> None:
        for number in range(count):
            options = SubmissionOptions(range(1), str(number).encode())
            jobs.submit(ALICE, "plain", BODY, "application/json", options)
            job = parts.store.leases.claim(runner.id, runner._loaded.names, tuple(parts.served))
            assert job is not None
            runner._take(job)
            done = jobs.job(ALICE, job.id)
            assert done.result is not None
            sizes.append(len(json.dumps(done.result["recovery"])))
            jobs.proof(ALICE, job.id)
            # Of the test itself.
            parts.events.clear()

    tracemalloc.start()
    try:
        prove(WARM)
        before = traced_bytes()
        prove(COUNTED)
        grown = traced_bytes() - before
    finally:
        tracemalloc.stop()
    assert grown < MOST_BYTES * COUNTED, grown
    # Workers were lost all the time, and each job says which of them were lost in it.
    assert max(sizes[WARM:]) <= 2 * max(sizes[:WARM])
    assert sum(size > 300 for size in sizes) > WARM


def traced_bytes() -> int:
    gc.collect()
    traces = tracemalloc.take_snapshot().filter_traces([CURSORS, TRACES])
    return sum(statistic.size for statistic in traces.statistics("filename"))
