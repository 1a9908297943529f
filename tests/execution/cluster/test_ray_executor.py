"""Workers on Ray: same answers as in process; the dead, the hanging and the faulty are replaced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deepprove_dist.errors import ExecutionError, PlacementError
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.workers.worker import WorkerFactory
from tests.execution.conftest import add_node
from tests.execution.dummy import Dummy, dummy

pytestmark = pytest.mark.usefixtures("cluster")


@contextmanager
def workers(
    config: ScalingConfig, call_timeout: float = 60.0, worker: WorkerFactory = dummy
) -> Iterator[WorkerGroup]:
    with open_worker_group(ClusterOptions(config, call_timeout=call_timeout), worker) as group:
        yield group


def test_answers_are_those_of_workers_in_process() -> None:
    data = os.urandom(3_000_000)

    def answers(group: WorkerGroup) -> list[object]:
        sums = [
            group.call({rank: Call.to(Dummy.add, number=rank + step) for rank in (0, 1)}) for step in range(5)
        ]
        return [*sums, group.call({1: Call.to(Dummy.echo, data=data)})]

    with workers(ScalingConfig(2)) as group:
        assert answers(group) == answers(WorkerGroup(InProcessExecutor(2, dummy)))


def test_a_session_that_was_there_stays() -> None:
    import ray

    with workers(ScalingConfig(1)) as group:
        assert group.call_all(Dummy.add, number=1) == [1]
    assert ray.is_initialized()


def test_workers_have_the_threads_of_their_cpus_and_are_spread() -> None:
    with workers(ScalingConfig(2, cpus_per_worker=3)) as group:
        assert group.call_all(Dummy.threads) == [3, 3]
        assert [runs_on.threads for runs_on in group.descriptions] == [3, 3]
        # Neither node has six CPUs.
        assert len(set(group.call_all(Dummy.process))) == 2


def test_declared_accelerators_are_given_out() -> None:
    with workers(ScalingConfig(4, gpus_per_worker=1, accelerator_type="H100")) as group:
        # In the order of accelerators, not of arrival.
        assert [runs_on.accelerators for runs_on in group.descriptions] == [
            (f"GPU {gpu}",) for gpu in range(4)
        ]


def test_a_label_chooses_nodes() -> None:
    with workers(ScalingConfig(2, labels={"zone": "b"})) as group:
        assert all(runs_on.accelerators == () for runs_on in group.descriptions)
    with pytest.raises(PlacementError, match="node label zone=nowhere"):
        _refused(ScalingConfig(1, labels={"zone": "nowhere"}, placement_timeout=1.0))


@pytest.mark.parametrize(
    ("config", "missing", "has"),
    [
        (ScalingConfig(3, cpus_per_worker=3), "fits 2 of 3", "4 CPUs"),
        (ScalingConfig(5, gpus_per_worker=1), "fits 4 of 5", "4 GPUs"),
        (
            ScalingConfig(1, accelerator_type="B200"),
            "type B200",
            "accelerator type H100",
        ),
    ],
)
def test_what_can_never_be_placed_is_refused_at_once(config: ScalingConfig, missing: str, has: str) -> None:
    begin = time.monotonic()
    with pytest.raises(PlacementError) as error:
        _refused(config)
    assert time.monotonic() - begin < 10  # not the minute of --placement-timeout
    text = str(error.value)
    assert missing in text
    assert has in text
    assert "zone=a" in text
    assert "in use now: 0 CPUs" in text


def _refused(config: ScalingConfig) -> None:
    with workers(config):
        pass


def test_a_process_killed_between_calls_is_replaced() -> None:
    with workers(ScalingConfig(2)) as group:
        group.call_all(Dummy.load, number=10)
        with group.proof():
            before = group.call_all(Dummy.process)[1]
        with group.proof():
            group.call_all(Dummy.add, number=1)
            os.kill(before, signal.SIGKILL)
            assert group.call_all(Dummy.add, number=1) == [12, 12]
            assert group.call_all(Dummy.process)[1] != before


def test_ranks_of_a_lost_node_move_to_the_living(cluster: Any) -> None:
    node = add_node(cluster, "c")
    cluster.wait_for_nodes()
    # Three CPUs each: one worker a node, and no place for another when a node is gone.
    config = ScalingConfig(3, cpus_per_worker=3, replacement_timeout=2.0)
    with workers(config) as group:
        group.call_all(Dummy.add, number=1)
        with group.proof():  # process numbers are no function of the calls: not to be replayed
            before = group.call_all(Dummy.process)
        cluster.remove_node(node, allow_graceful=False)
        _until_one_is_gone(before)
        begin = time.monotonic()
        assert [group.call_all(Dummy.add, number=1) for _ in range(3)] == [[2] * 3, [3] * 3, [4] * 3]
        assert time.monotonic() - begin < 20
        assert len(set(group.call_all(Dummy.process))) == 2


def _until_one_is_gone(processes: list[int]) -> None:
    """A worker outlives its node's daemon for some seconds."""
    end = time.monotonic() + 30
    while all(Path(f"/proc/{process}").exists() for process in processes):
        assert time.monotonic() < end, "the lost node's worker lives on"
        time.sleep(0.1)


def test_another_version_on_a_node_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepprove_dist.__version__", "9.9.9")
    with pytest.raises(ExecutionError, match=r"version .* coordinator version 9\.9\.9"):
        _refused(ScalingConfig(1))
