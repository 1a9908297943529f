"""The witness: the coordinator has all of it, workers get their rows, and what leaves are written from.

They also get their rows of hidden inputs and outputs. The coordinator commits these, and has their trees.
"""

from __future__ import annotations

from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.assignment import Assignment
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.state import WEIGHTS, ProofState, WorkerState
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.lookup.leaves import PartValues, expression_values, small_values


def begin_proof(
    state: WorkerState,
    samples: int,
    rows: dict[int, BaseVector],
    random_rows: BaseVector,
    hidden_rows: dict[int, BaseVector],
) -> None:
    """Forgets the last proof and begins one of so many samples, with the rank's rows of the witness matrix.

    Zeros at the end of the rows of a part may be left out. `hidden_rows` are whole: see `ProofState`.
    """
    proof = ProofState(state.key.verifying.instance(samples), random_rows, hidden_rows=hidden_rows)
    initial = state.key.verifying.schedule.initial
    columns = initial.witness_columns + initial.mask_columns
    length = columns << (initial.log_rows - state.key.log_parts)
    proof.rows = {part: trimmed.padded(length) for part, trimmed in rows.items()}
    state.proof = proof
    # What the last proof committed is not asked for any more, and must not be held beside what follows.
    state.trees = {name: tree for name, tree in state.trees.items() if name == WEIGHTS}


def witness_values(state: WorkerState, z: Extension) -> ExtensionVector:
    """The rank's share of what `Witness.column_values` gives."""
    code = state.key.verifying.schedule.initial
    return state.column_values(state.proof.rows, code.witness_columns + code.mask_columns, z)


def hold_leaves(state: WorkerState, small: BaseVector, expressions: dict[int, BaseVector]) -> None:
    """Takes what the leaves of lookups are written from beside the rank's rows."""
    rows = state.proof.rows
    state.proof.values = {part: PartValues(rows[part], small, values) for part, values in expressions.items()}


def assign_rows(group: WorkerGroup, samples: int, witness: Witness) -> None:
    """Begins a proof: gives every worker its rows of the witness matrix."""
    with group.phase("witness"):
        log_parts = group.assignment.log_parts
        rows = witness.matrix.parts(log_parts, trimmed=True)
        hidden = BaseVector.concatenated([hidden.matrix for hidden in witness.hidden]).parts(log_parts)
        calls = {
            rank: Call.to(
                begin_proof,
                samples=samples,
                rows={part: rows[part] for part in parts},
                random_rows=witness.random_rows,
                hidden_rows={part: hidden[part] for part in parts},
            )
            for rank, parts in enumerate(group.assignment.parts)
        }
        group.defer(calls)


def leaf_calls(assignment: Assignment, instance: Instance, witness: Witness) -> dict[int, Call[None]]:
    """By rank, the calls that give workers what they write their leaves from."""
    log_parts, system, leaves = assignment.log_parts, instance.system, instance.leaves
    small = small_values(system, leaves, witness.tensors, log_parts)
    expressions = expression_values(system, leaves, witness.tensors, log_parts)
    return {
        rank: Call.to(hold_leaves, small=small, expressions={part: expressions[part] for part in parts})
        for rank, parts in enumerate(assignment.parts)
    }
