"""The price of a proof by workers, against a proof that was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import Policy
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.pricing.group_price import ROW_BYTES, price_group, wire_bytes
from deepprove_dist.pricing.proof_price import price_proof
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.parameters import PROCESS_BYTES
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.phases import phase_totals

MODEL = Path(__file__).parents[2] / "assets" / "models" / "digits_cnn264k"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("price") / "keys"
    dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz", transparent=True).save(folder)
    return folder


@pytest.fixture(scope="module")
def content(folder: Path) -> KeyContent:
    return dp.VerifyingKey.load(folder / "verifying.key").content


@pytest.mark.parametrize("workers", [2, 4])
def test_bytes_between_machines_are_those_of_a_proof(folder: Path, content: KeyContent, workers: int) -> None:
    group = WorkerGroup(InProcessExecutor(workers, create_worker))
    keys = dp.ProvingKey.load(folder, workers=group)
    with recording(Trace()) as trace:
        proof = keys.prove(keys.read_inputs(MODEL / "input.json"))
    group.executor.close()
    ranks = [worker for phase in phase_totals(trace, workers) for worker in phase.workers]
    sent = sum(rank.bytes_out + rank.bytes_in + rank.fetched for rank in ranks)
    price = price_group(content, 1, [1] * workers)
    assert price.wire_bytes == pytest.approx(sent, rel=0.25)
    assert price_proof(content).proof_bytes == pytest.approx(len(proof), rel=0.1)
    assert not price.worth


def test_shares_follow_threads(content: KeyContent) -> None:
    price = price_group(content, 1, [1, 3])
    assert sum(worker.share for worker in price.workers) == 1.0
    small, large = price.workers
    assert large.share == 3 * small.share
    alone = price_proof(content).memory_bytes
    assert small.memory_bytes == PROCESS_BYTES + round(small.share * alone)
    assert price.least_ms == pytest.approx(price_proof(content).proving_ms / 2)


def test_workers_without_a_part_hold_nothing(content: KeyContent) -> None:
    price = price_group(content, 1, [1] * 300)
    assert len(price.workers) == 300
    assert {worker.share for worker in price.workers[256:]} == {0.0}
    assert price.workers[-1].memory_bytes == PROCESS_BYTES


def test_what_is_not_shared_does_not_travel_twice(content: KeyContent) -> None:
    shared = wire_bytes(content, 1, 4, 2, Policy(code_values=1 << 20))
    kept = wire_bytes(content, 1, 4, 2, Policy(code_values=1 << 40))
    initial = content.schedule.initial
    assert shared - kept == 3 * ROW_BYTES * initial.witness_columns << initial.log_rows


def test_more_samples_than_the_key_allows(content: KeyContent) -> None:
    with pytest.raises(dp.VerificationError, match="the key allows 1 to 1 samples"):
        price_proof(content, 2)
    assert np.isfinite(price_proof(content, 1).proving_ms)
