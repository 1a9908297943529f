"""A proof begins with rows of the witness, and without what the last one left."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.phases.state import WEIGHTS, WorkerState
from deepprove_dist.execution.phases.witness import begin_proof
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.worker import ProcessContext, Worker
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Pool
from deepprove_dist.protocol.argument.backend import ProofRun
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.key.key import Instance
from tests.execution.shared_keys import example, network


def test_only_the_weights_tree_outlives_a_proof(tmp_path: Path) -> None:
    states: list[WorkerState] = []

    def watched(context: ProcessContext, rank: int) -> Worker:
        worker = create_worker(context, rank)
        states.append(worker.state)
        return worker

    case = example(network(), tmp_path, hiding=True, hide_public=True)
    assert case.prove(case.shared(InProcessExecutor(2, watched))) == case.proof
    for state in states:
        assert {WEIGHTS, "witness"} <= set(state.trees)
        rows = {part: tree.trimmed() for part, tree in state.proof.rows.items()}
        begin_proof(state, 1, rows, state.proof.random_rows, state.proof.hidden_rows)
        assert set(state.trees) == {WEIGHTS}
        assert not state.proof.openings


@pytest.mark.parametrize("hiding", [False, True])
def test_workers_have_the_values_of_all_columns(tmp_path: Path, hiding: bool) -> None:
    case = example(network(), tmp_path, hiding=hiding)
    prover = case.shared(InProcessExecutor(3, create_worker))
    answers, begin = list[ExtensionVector](), prover.backend.begin

    def compared(instance: Instance, witness: Witness) -> ProofRun:
        run, z = begin(instance, witness), Extension(12345)
        answers.extend([run.column_values(z), witness.column_values(z, Pool(1))])
        return run

    with patch.object(prover.backend, "begin", compared):
        case.prove(prover)
    shared, whole = answers
    assert bytes(shared) == bytes(whole)


def test_trimmed_parts_are_those_of_the_trimmed_vector() -> None:
    values = BaseVector.from_array(np.array([1, 0, 2, 3, 0, 4, 0, 0, 0, 0, 0, 0]))
    trimmed = values.parts(1, trimmed=True)
    assert list(map(bytes, trimmed)) == list(map(bytes, values.trimmed().parts(1)))
    assert list(map(len, values.parts(2, trimmed=True))) == [2, 2, 1, 1]
    assert list(map(len, values.parts(2))) == [3, 3, 3, 3]
