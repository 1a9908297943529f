"""The witness: the coordinator has all of it, workers get their rows, and what leaves are written from."""

from __future__ import annotations

from deepprove_dist.execution.state import WEIGHTS, ProofState, State
from deepprove_dist.execution.team import Team
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.key import Instance
from deepprove_dist.protocol.lookup.leaves import PartValues, expression_values, small_values
from deepprove_dist.protocol.witness import Witness


def begin_proof(state: State, samples: int, rows: dict[int, BaseVector]) -> None:
    """Forgets the last proof and begins one of so many samples, with the rank's rows of the witness matrix.

    Zeros at the end of the rows of a part may be left out.
    """
    proof = ProofState(state.key.verifying.instance(samples))
    initial = state.key.verifying.schedule.initial
    length = initial.witness_columns << (initial.log_rows - state.key.log_parts)
    proof.rows = {part: own.padded(length) for part, own in rows.items()}
    state.proof = proof
    # What the last proof committed is not asked for any more, and must not be held beside what follows.
    state.trees = {name: tree for name, tree in state.trees.items() if name == WEIGHTS}


def hold_leaves(state: State, small: BaseVector, expressions: dict[int, BaseVector]) -> None:
    """Takes what the leaves of lookups are written from beside the rank's rows."""
    rows = state.proof.rows
    state.proof.values = {part: PartValues(rows[part], small, own) for part, own in expressions.items()}


def deal_rows(team: Team, samples: int, matrix: BaseVector) -> None:
    """Begins a proof: gives every worker its rows of the witness matrix."""
    with team.phase("witness"):
        rows = matrix.trimmed().parts(team.deal.log_parts)
        arguments = {
            rank: {"samples": samples, "rows": {part: rows[part] for part in parts}}
            for rank, parts in enumerate(team.deal.parts)
        }
        team.defer("begin_proof", arguments)


def deal_leaves(team: Team, instance: Instance, witness: Witness) -> None:
    """Gives every worker what it writes its leaves from."""
    log_parts, system, leaves = team.deal.log_parts, instance.system, instance.leaves
    with team.phase("witness"):
        small = small_values(system, leaves, witness.tensors, log_parts)
        expressions = expression_values(system, leaves, witness.tensors, log_parts)
        arguments = {
            rank: {"small": small, "expressions": {part: expressions[part] for part in parts}}
            for rank, parts in enumerate(team.deal.parts)
        }
        team.defer("hold_leaves", arguments)
