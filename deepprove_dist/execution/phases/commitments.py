"""Commitments by parts: a seat encodes, hashes and opens its subtrees of a code; only roots are joined here."""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.execution.crew import Crew
from deepprove_dist.execution.deal import Deal
from deepprove_dist.execution.state import State
from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    ExtensionVector,
    JoinedTree,
    PartialCommitment,
    Pool,
)
from deepprove_dist.protocol.opening.codes import tree_shapes


def commit_witness(state: State, matrix: BaseVector) -> list[bytes]:
    """Commits the seat's parts of the witness matrix; missing values at its end are zero."""
    code = tree_shapes(state.key.verifying.schedule.initial)[-1]
    trees = {
        part: PartialCommitment.of_base(
            matrix, code, state.key.log_parts, part, state.encoder, state.pool
        )
        for part in state.key.parts
    }
    return _keep(state, "witness", trees)


def commit_folded(state: State, round: int, values: ExtensionVector) -> list[bytes]:
    """Commits the seat's parts of the vector of one round of the opening."""
    code = tree_shapes(state.key.verifying.schedule.rounds[round])[0]
    trees = {
        part: PartialCommitment.of_extension(
            values, code, state.key.log_parts, part, state.encoder, state.pool
        )
        for part in state.key.parts
    }
    return _keep(state, f"round {round}", trees)


def open_leaves(
    state: State, tree: str, places: dict[int, list[int]]
) -> dict[int, tuple[BaseVector, list[bytes]]]:
    """The leaves at some places of the seat's parts, with their nodes below the parts' roots."""
    return {part: state.trees[tree][part].open(own) for part, own in places.items()}


def _keep(state: State, name: str, trees: dict[int, PartialCommitment]) -> list[bytes]:
    state.trees[name] = trees
    return [trees[part].root for part in state.key.parts]


class SharedTree:
    """A tree whose subtrees are the workers'."""

    def __init__(
        self,
        crew: Crew,
        deal: Deal,
        name: str,
        code: CodeShape,
        roots: Sequence[Sequence[bytes]],
        pool: Pool,
    ) -> None:
        """`roots` are those of each seat's parts, in their order."""
        self._crew, self._deal, self._name = crew, deal, name
        self._log_part = code.height - deal.log_parts
        by_part = {
            part: root
            for parts, own in zip(deal.parts, roots, strict=True)
            for part, root in zip(parts, own, strict=True)
        }
        self._joined = JoinedTree([by_part[part] for part in sorted(by_part)], code, pool)

    @property
    def root(self) -> bytes:
        """The root of the whole."""
        return self._joined.root

    def open(self, leaves: list[int]) -> tuple[BaseVector, bytes]:
        """See `Tree`: asks the owners of the leaves."""
        places: dict[int, list[int]] = {}
        for leaf in leaves:
            places.setdefault(leaf >> self._log_part, []).append(leaf)
        arguments = {}
        for seat, parts in enumerate(self._deal.parts):
            own = {part: places[part] for part in parts if part in places}
            if own:
                arguments[seat] = {"tree": self._name, "places": own}
        with self._crew.phase("queries"):
            answers = self._crew.call("open_leaves", arguments)
        opened = {part: (rows, nodes) for own in answers.values() for part, (rows, nodes) in own.items()}
        return self._joined.join(leaves, [opened[part] for part in sorted(opened)])
