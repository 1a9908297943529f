"""What a worker of a proof can be asked for: every phase's functions of its state, by name."""

from __future__ import annotations

from deepprove_dist.execution.phases import (
    commitments,
    inference,
    loading,
    lookups,
    opening,
    relations,
    witness,
)
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.execution.workers.worker import ProcessContext, Worker, methods_by_name
from deepprove_dist.memory import peak_rss_bytes


def peak_memory(state: WorkerState) -> int:
    """The most bytes that the worker's process has held; the same for all ranks in it."""
    return peak_rss_bytes()


METHODS = methods_by_name(
    (
        peak_memory,
        loading.load,
        loading.column_values,
        inference.accumulate,
        witness.begin_proof,
        witness.witness_values,
        witness.hold_leaves,
        commitments.witness_rows,
        commitments.commit_witness,
        commitments.commit_folded,
        commitments.open_leaves,
        relations.bind,
        lookups.build_fractions,
        lookups.start_layer,
        lookups.fold_layer,
        lookups.gather_layer,
        opening.open_columns,
        opening.gram,
        opening.bind_blocks,
        opening.weigh_mask,
        opening.add_mask,
        opening.evaluate,
        opening.add_powers,
        opening.add_base_powers,
        opening.remaining,
        opening.folded_values,
        opening.commit_values,
        opening.commit_last_values,
    )
)
"""Every method of a worker, by name."""


def create_worker(context: ProcessContext, rank: int) -> Worker:
    """The worker of a rank, with parts of no key yet."""
    return Worker(context, rank, WorkerState(context), METHODS)
