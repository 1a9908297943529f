"""A proof begins with rows of the witness, and without what the last one left."""

from __future__ import annotations

from pathlib import Path

from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.phases.witness import begin_proof
from deepprove_dist.execution.state import WEIGHTS, State
from deepprove_dist.execution.worker_api import KeyWorker
from tests.execution.shared_keys import example, network


def test_only_the_weights_tree_outlives_a_proof(tmp_path: Path) -> None:
    states: list[State] = []

    class Watched(KeyWorker):
        def __init__(self, threads: int) -> None:
            super().__init__(threads)
            states.append(self._state)

    made = example(network(), tmp_path)
    assert made.prove(made.shared(InProcessExecutor(2, worker=Watched))) == made.proof
    for state in states:
        assert {WEIGHTS, "witness"} <= set(state.trees)
        rows = {part: own.trimmed() for part, own in state.proof.rows.items()}
        begin_proof(state, 1, rows)
        assert set(state.trees) == {WEIGHTS}
        assert not state.proof.openings
