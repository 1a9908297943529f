"""`prove --workers`, with workers in this process in the place of a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from deepprove_dist.cli import prove
from deepprove_dist.errors import WorkerLost
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from tests.cli.running import INPUT, make_keys, run
from tests.execution.unreliable import Unreliable


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("workers") / "keys", "--transparent")


def test_a_proof_is_on_disk_before_workers_are_closed(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof, at_closing = tmp_path / "proof", []

    @contextmanager
    def opened(_: object) -> Iterator[WorkerGroup]:
        yield WorkerGroup(InProcessExecutor(2, create_worker))
        at_closing.append(proof.is_file())
        raise SystemExit(1)  # as Ray ends a process whose cluster is gone

    monkeypatch.setattr(prove, "opened", opened)
    run("prove", keys, *INPUT, "-o", proof, "--workers", 2)
    assert at_closing == [True]
    assert json.loads(run("verify", keys / "verifying.key", proof, "--json").stdout)["valid"]


@pytest.mark.parametrize("losses", [0, 1])
def test_losses_are_in_the_report(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: int
) -> None:
    def opened(_: object) -> AbstractContextManager[WorkerGroup]:
        return nullcontext(WorkerGroup(Unreliable(2, {1: [1][:losses]}, worker=create_worker)))

    monkeypatch.setattr(prove, "opened", opened)
    arguments = ("prove", keys, *INPUT, "-o", tmp_path / "proof", "--workers", 2)
    recovery = json.loads(run(*arguments, "--json").stdout)["recovery"]
    assert recovery["counts"]["losses"] == len(recovery["losses"]) == losses
    assert ("Recovery" in run(*arguments).stdout) == bool(losses)


def test_workers_that_are_lost_after_the_proof_cost_their_figures_only(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(InProcessExecutor):
        def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
            if any(b"peak_memory" in request for request in requests.values()):
                raise WorkerLost({0: "the test says so"}, {})
            return super().call(requests)

    monkeypatch.setattr(prove, "opened", lambda _: nullcontext(WorkerGroup(Ended(1, create_worker))))
    result = run("prove", keys, *INPUT, "-o", tmp_path / "proof", "--workers", 1, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["workers"] == []
    assert "Warning: the workers' memory is not known: worker 0 was lost too often" in result.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_network_that_is_too_small_for_workers_is_warned_of(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    group = WorkerGroup(InProcessExecutor(workers, create_worker))
    monkeypatch.setattr(prove, "opened", lambda _: nullcontext(group))
    result = run("prove", keys, *INPUT, "-o", tmp_path / "proof", "--workers", workers)
    warning = f"this network is small: {workers} workers take longer for a proof than one process alone"
    assert (warning in result.stderr) == (workers > 1)


def test_without_workers_nothing_is_recovered(keys: Path, tmp_path: Path) -> None:
    result = run("prove", keys, *INPUT, "-o", tmp_path / "proof", "--json")
    assert json.loads(result.stdout)["recovery"] is None
