"""Commitments by parts: a rank encodes, hashes and opens its subtrees of a code; roots are joined here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.parts import by_part
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    ExtensionVector,
    JoinedTree,
    PartialCommitment,
    Pool,
)
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.prove import TreeQuery


def witness_rows(state: WorkerState) -> dict[int, BaseVector]:
    """The rank's rows of the witness matrix, by part."""
    return {part: rows.trimmed() for part, rows in state.proof.rows.items()}


def commit_witness(state: WorkerState, shares: Sequence[dict[int, BaseVector]]) -> list[bytes]:
    """Commits the rank's parts of the witness matrix, given by the rows of all ranks."""
    rows = by_part(shares)
    code = tree_shapes(state.key.verifying.schedule.initial)[-1]
    log_parts, random_rows = state.key.log_parts, state.proof.random_rows
    trees = {
        part: PartialCommitment.of_parts(rows, code, log_parts, part, state.encoder, state.pool, random_rows)
        for part in state.key.parts
    }
    return _store(state, "witness", trees)


def commit_folded(state: WorkerState, round: int, values: ExtensionVector) -> list[bytes]:
    """Commits the rank's parts of the vector of one round of the opening."""
    return _commit_round(state, round, PartialCommitment.of_extension, values)


def commit_rows(state: WorkerState, round: int, matrix: BaseVector) -> list[bytes]:
    """The same of a vector that is given as a matrix of base columns, row-major."""
    return _commit_round(state, round, PartialCommitment.of_rows, matrix)


def open_leaves(
    state: WorkerState, indices: dict[str, dict[int, list[int]]]
) -> dict[str, dict[int, tuple[BaseVector, list[bytes]]]]:
    """Leaves of each tree, by the rank's parts, with their nodes below the parts' roots."""
    return {
        tree: {part: state.trees[tree][part].open(leaves) for part, leaves in parts.items()}
        for tree, parts in indices.items()
    }


def _commit_round(
    state: WorkerState,
    round: int,
    commit: Callable[..., PartialCommitment],
    values: BaseVector | ExtensionVector,
) -> list[bytes]:
    code, log_parts = tree_shapes(state.key.verifying.schedule.rounds[round])[0], state.key.log_parts
    trees = {
        part: commit(values, code, log_parts, part, state.encoder, state.pool) for part in state.key.parts
    }
    return _store(state, f"round {round}", trees)


def _store(state: WorkerState, name: str, trees: dict[int, PartialCommitment]) -> list[bytes]:
    state.trees[name] = trees
    return [trees[part].root for part in state.key.parts]


class SharedTree:
    """A tree whose subtrees are the workers'."""

    def __init__(
        self,
        group: WorkerGroup,
        name: str,
        code: CodeShape,
        roots: Sequence[Sequence[bytes]],
        pool: Pool,
    ) -> None:
        """`roots` are those of each rank's parts, in their order; `pool` joins them."""
        self._group, self.name = group, name
        self._log_part = code.height - group.assignment.log_parts
        assigned = zip(group.assignment.parts, roots, strict=True)
        in_order = by_part([dict(zip(parts, of_rank, strict=True)) for parts, of_rank in assigned])
        self._joined = JoinedTree(in_order, code, pool)

    @property
    def root(self) -> bytes:
        """The root of the whole."""
        return self._joined.root

    def open(self, leaves: list[int]) -> tuple[BaseVector, bytes]:
        """See `Tree`: asks the owners of the leaves."""
        (opened,) = open_trees(self._group, [(self, leaves)])
        return opened

    def indices(self, leaves: list[int]) -> dict[int, dict[int, list[int]]]:
        """The leaves of each rank that has some, by part."""
        by_part: dict[int, list[int]] = {}
        for leaf in leaves:
            by_part.setdefault(leaf >> self._log_part, []).append(leaf)
        by_rank = {
            rank: {part: by_part[part] for part in parts if part in by_part}
            for rank, parts in enumerate(self._group.assignment.parts)
        }
        return {rank: parts for rank, parts in by_rank.items() if parts}

    def join(
        self, leaves: list[int], opened: Sequence[dict[int, tuple[BaseVector, list[bytes]]]]
    ) -> tuple[BaseVector, bytes]:
        """What `open` gives, from what ranks have opened."""
        return self._joined.join(leaves, [(rows, nodes) for rows, nodes in by_part(opened)])


def open_trees(group: WorkerGroup, queries: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
    """Opens some trees, those that workers share by one call to the owners of all leaves."""
    indices: dict[int, dict[str, dict[int, list[int]]]] = {}
    for tree, leaves in queries:
        if isinstance(tree, SharedTree):
            for rank, parts in tree.indices(leaves).items():
                indices.setdefault(rank, {})[tree.name] = parts
    answers = group.call(
        {rank: Call.to(open_leaves, indices=trees) for rank, trees in sorted(indices.items())}
    )
    result = []
    for tree, leaves in queries:
        if isinstance(tree, SharedTree):
            opened = [answers[rank][tree.name] for rank in tree.indices(leaves)]
            result.append(tree.join(leaves, opened))
        else:
            result.append(tree.open(leaves))
    return result
