"""The lookup argument by parts: leaves and layers of the fraction tree are with the workers."""

from __future__ import annotations

from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.parts import by_part
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.kernels import Extension, ExtensionVector, FractionPart
from deepprove_dist.protocol.lookup.leaves import PartLeaves
from deepprove_dist.protocol.lookup.tree import Challenges


def build_fractions(
    state: WorkerState, alpha: Extension, beta: Extension, level: int
) -> dict[int, ExtensionVector]:
    """Builds the tree of each of the rank's parts; their nodes of the layer of 2^level nodes."""
    key, proof = state.key, state.proof
    instance, challenges = proof.instance, Challenges(alpha, beta)
    for part in key.parts:
        of_part = instance.samples, part
        if of_part not in key.leaves:
            layout = instance.system, instance.leaves, instance.layout
            key.leaves[of_part] = PartLeaves(*layout, key.log_parts, part)
        leaves = key.leaves[of_part].build(proof.values[part], challenges)
        levels = instance.leaves.levels
        residue, written = key.residue(part), state.context.log_written
        proof.fractions[part] = FractionPart(leaves, levels, residue, state.pool, written)
    return {part: tree.layer(level) for part, tree in proof.fractions.items()}


def start_layer(state: WorkerState, z: ExtensionVector, batching: Extension) -> list[ExtensionVector]:
    """Begins a layer; each part's share of the sums of its first round."""
    return [tree.start(z, batching, state.pool) for tree in state.proof.fractions.values()]


def fold_layer(state: WorkerState, r: Extension) -> list[ExtensionVector]:
    """Binds a variable; each part's share of the next sums."""
    return [tree.fold(r, state.pool) for tree in state.proof.fractions.values()]


def gather_layer(state: WorkerState, r: Extension) -> dict[int, ExtensionVector]:
    """Binds a variable and ends the layer: what remains of each part."""
    return {part: tree.gather(r, state.pool) for part, tree in state.proof.fractions.items()}


class SharedFractions:
    """The parts of a fraction tree as `prove_by_parts` calls them."""

    def __init__(self, group: WorkerGroup, challenges: Challenges) -> None:
        self._group, self._challenges = group, challenges

    def layer(self, level: int) -> list[ExtensionVector]:
        """See `FractionParts`: the trees are built first."""
        alpha, beta = self._challenges.alpha, self._challenges.beta
        return by_part(self._group.call_all(build_fractions, alpha=alpha, beta=beta, level=level))

    def start(self, z: ExtensionVector, batching: Extension) -> list[ExtensionVector]:
        """See `FractionParts`."""
        answers = self._group.call_all(start_layer, z=z, batching=batching)
        return [sums for of_rank in answers for sums in of_rank]

    def fold(self, r: Extension) -> list[ExtensionVector]:
        """See `FractionParts`."""
        answers = self._group.call_all(fold_layer, r=r)
        return [sums for of_rank in answers for sums in of_rank]

    def gather(self, r: Extension) -> list[ExtensionVector]:
        """See `FractionParts`."""
        return by_part(self._group.call_all(gather_layer, r=r))
