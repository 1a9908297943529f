"""What a group of workers records of its calls."""

from __future__ import annotations

from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.phases import phase_totals
from tests.execution.dummy import Dummy, dummy


def test_a_group_records_its_calls() -> None:
    group = WorkerGroup(InProcessExecutor(2, dummy))
    with recording(Trace()) as trace, group.phase("sums"):
        group.call_all(Dummy.add, number=1)
        group.call_all(Dummy.add_slowly, number=1, seconds=0.02)
    (sums,) = (total for total in phase_totals(trace, 2) if total.phase == "sums")
    assert sums.rounds == 2
    assert all(0.02 <= worker.busy < 0.2 for worker in sums.workers)
    # In this process one worker waits while the other works.
    assert all(worker.waiting >= 0.02 for worker in sums.workers)
    assert all(worker.bytes_out > 0 and worker.bytes_in > 0 for worker in sums.workers)
