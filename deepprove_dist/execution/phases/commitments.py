"""Commitments by parts: a rank encodes, hashes and opens its subtrees of a code; roots are joined here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepprove_dist.execution.state import State
from deepprove_dist.execution.team import Team, by_part
from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    ExtensionVector,
    JoinedTree,
    PartialCommitment,
)
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.prove import TreeQuery


def witness_rows(state: State) -> dict[int, BaseVector]:
    """The rank's rows of the witness matrix, by part."""
    return {part: rows.trimmed() for part, rows in state.proof.rows.items()}


def commit_witness(state: State, shares: Sequence[dict[int, BaseVector]]) -> list[bytes]:
    """Commits the rank's parts of the witness matrix, given by the rows of all ranks."""
    length = max(map(len, state.proof.rows.values()))
    matrix = BaseVector.interleaved([rows.padded(length) for rows in by_part(shares)])
    code = tree_shapes(state.key.verifying.schedule.initial)[-1]
    trees = {
        part: PartialCommitment.of_base(matrix, code, state.key.log_parts, part, state.encoder, state.pool)
        for part in state.key.parts
    }
    return _keep(state, "witness", trees)


def commit_folded(state: State, round: int, values: ExtensionVector) -> list[bytes]:
    """Commits the rank's parts of the vector of one round of the opening."""
    return _commit_round(state, round, PartialCommitment.of_extension, values)


def commit_rows(state: State, round: int, matrix: BaseVector) -> list[bytes]:
    """The same of a vector that is given as a matrix of base columns, row-major."""
    return _commit_round(state, round, PartialCommitment.of_rows, matrix)


def open_leaves(
    state: State, places: dict[str, dict[int, list[int]]]
) -> dict[str, dict[int, tuple[BaseVector, list[bytes]]]]:
    """Of each tree the leaves at some places of the rank's parts, with their nodes below the parts' roots."""
    return {
        tree: {part: state.trees[tree][part].open(own) for part, own in parts.items()}
        for tree, parts in places.items()
    }


def _commit_round(
    state: State, round: int, commit: Callable[..., PartialCommitment], values: BaseVector | ExtensionVector
) -> list[bytes]:
    code, log_parts = tree_shapes(state.key.verifying.schedule.rounds[round])[0], state.key.log_parts
    trees = {
        part: commit(values, code, log_parts, part, state.encoder, state.pool) for part in state.key.parts
    }
    return _keep(state, f"round {round}", trees)


def _keep(state: State, name: str, trees: dict[int, PartialCommitment]) -> list[bytes]:
    state.trees[name] = trees
    return [trees[part].root for part in state.key.parts]


class SharedTree:
    """A tree whose subtrees are the workers'."""

    def __init__(
        self,
        team: Team,
        name: str,
        code: CodeShape,
        roots: Sequence[Sequence[bytes]],
    ) -> None:
        """`roots` are those of each rank's parts, in their order."""
        self._team, self.name = team, name
        self._log_part = code.height - team.deal.log_parts
        dealt = zip(team.deal.parts, roots, strict=True)
        in_order = by_part([dict(zip(parts, own, strict=True)) for parts, own in dealt])
        self._joined = JoinedTree(in_order, code, team.pool)

    @property
    def root(self) -> bytes:
        """The root of the whole."""
        return self._joined.root

    def open(self, leaves: list[int]) -> tuple[BaseVector, bytes]:
        """See `Tree`: asks the owners of the leaves."""
        (opened,) = open_trees(self._team, [(self, leaves)])
        return opened

    def places(self, leaves: list[int]) -> dict[int, dict[int, list[int]]]:
        """The leaves of each rank that has some, by part."""
        places: dict[int, list[int]] = {}
        for leaf in leaves:
            places.setdefault(leaf >> self._log_part, []).append(leaf)
        by_rank = {
            rank: {part: places[part] for part in parts if part in places}
            for rank, parts in enumerate(self._team.deal.parts)
        }
        return {rank: own for rank, own in by_rank.items() if own}

    def join(
        self, leaves: list[int], opened: Sequence[dict[int, tuple[BaseVector, list[bytes]]]]
    ) -> tuple[BaseVector, bytes]:
        """What `open` gives, from what ranks have opened."""
        return self._joined.join(leaves, [(rows, nodes) for rows, nodes in by_part(opened)])


def open_trees(team: Team, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
    """Opens some trees, those that workers share by one call to the owners of all leaves."""
    places: dict[int, dict[str, dict[int, list[int]]]] = {}
    for tree, leaves in asked:
        if isinstance(tree, SharedTree):
            for rank, own in tree.places(leaves).items():
                places.setdefault(rank, {})[tree.name] = own
    answers = team.call("open_leaves", {rank: {"places": own} for rank, own in sorted(places.items())})
    result = []
    for tree, leaves in asked:
        if isinstance(tree, SharedTree):
            opened = [answers[rank][tree.name] for rank in tree.places(leaves)]
            result.append(tree.join(leaves, opened))
        else:
            result.append(tree.open(leaves))
    return result
