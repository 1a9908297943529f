"""Workers prove for keys that hide inputs and outputs: the bytes of one process, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepprove_dist.execution.group.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import SHARE_ALL, Policy
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.prover import prove
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.verifier import verify
from tests.execution.shared_keys import (
    DeceivedWorker,
    Example,
    UnequalExecutor,
    Unreliable,
    example,
    faulty,
    in_turn,
    network,
    prove_inputs,
)
from tests.protocol.example import ATTEMPT
from tests.protocol.hidden.example import hidden_key

FEW_CALLS = replace(SHARE_ALL, gather_log=7, gram_log=14)


@pytest.fixture(scope="module", params=["committed", "public"])
def hidden(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Two samples of at most three, all inputs and outputs hidden."""
    folder, weights = tmp_path_factory.mktemp("hidden"), request.param
    return example(network(), folder, weights=weights, samples=2, max_batch=3, hiding=True, hide_public=True)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(network(), tmp_path_factory.mktemp("committed"), hiding=True, hide_public=True)


def one_more(values: BaseVector) -> BaseVector:
    return BaseVector.from_array((values.to_array().astype(np.int64) + 1) % MODULUS)


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_the_bytes_are_those_of_one_process(hidden: Example, workers: int) -> None:
    key = hidden.shared(InProcessExecutor(workers, create_worker))
    assert [hidden.prove(key) for _ in range(2)] == [hidden.proof] * 2
    statement = verify(key.verifying, hidden.proof, weights=key.public_weights)
    assert statement.input == statement.output == {}
    assert (len(statement.input_commitments), len(statement.output_commitments)) == (1, 1)
    # Another number of samples has matrices of other values.
    assert prove_inputs(key, hidden.inputs[:1]) == prove_inputs(hidden.key, hidden.inputs[:1])


def test_with_the_default_policy_and_unequal_workers(hidden: Example) -> None:
    assert hidden.prove(hidden.shared(InProcessExecutor(3, create_worker), Policy())) == hidden.proof
    assert hidden.prove(hidden.shared(UnequalExecutor((2, 5, 1)))) == hidden.proof


def test_workers_lost_at_every_step_of_the_opening(committed: Example) -> None:
    executor = Unreliable(3)
    patient = FailurePolicy(Budget(per_rank=1 << 30, in_all=1 << 30))
    key = committed.shared(executor, FEW_CALLS, patient)
    loading = len(executor.methods)
    assert committed.prove(key) == committed.proof
    calls = executor.methods[loading:]
    for method in ("gram", "weigh_mask", "evaluate", "remaining", "open_leaves"):
        executor.replaced = []
        executor.losses = {len(executor.methods) + calls.index(method): (1,)}
        assert committed.prove(key) == committed.proof, method
        assert executor.replaced == [1], method


def test_one_that_works_on_other_hidden_values_is_found(
    committed: Example, caplog: pytest.LogCaptureFixture
) -> None:
    def other(arguments: dict[str, Any]) -> dict[str, Any]:
        rows = arguments["hidden_rows"]
        return {**arguments, "hidden_rows": {part: one_more(values) for part, values in rows.items()}}

    worker = in_turn(faulty("begin_proof", other, DeceivedWorker))
    key = committed.shared(InProcessExecutor(2, worker), FEW_CALLS)
    proof = committed.prove(key)
    assert "worker 0 on this process" in caplog.text
    assert "'gram'" in caplog.text
    # Another attempt draws other random rows, of hidden tensors too.
    (tensor,) = key.model.inputs
    trace = key.runner.run(quantise_inputs(key.model, {tensor.name: committed.inputs}))
    assert proof == prove(committed.key, trace, 1, attempt=replace(ATTEMPT, number=1))


def test_a_folder_of_keys_proves_with_workers_about_a_commitment_of_before(tmp_path: Path) -> None:
    folder, inputs = tmp_path / "keys", np.array([[[0.25, 0.5], [-1, 1]]])
    prover = hidden_key()
    ProvingKey(prover, budget=KeyBudget(prover.verifying.schedule.initial.proofs)).save(folder)
    keys = ProvingKey.load(folder, workers=WorkerGroup(InProcessExecutor(2, create_worker)))
    first = keys.prove(inputs)
    second = keys.prove(inputs, openings={"x": first.openings["x"]})
    of_first, of_second = (verify(keys.prover.verifying, proof.content) for proof in (first, second))
    assert of_first.input_commitments == of_second.input_commitments
    assert of_first.output_commitments != of_second.output_commitments
