"""Inference: large layers are computed by all workers, a slice of the weights each; the rest is done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepprove_dist.execution.assignment import slices
from deepprove_dist.execution.phases.layer_shares import Integers, SplitLayer, narrow
from deepprove_dist.execution.state import State
from deepprove_dist.execution.team import Team
from deepprove_dist.protocol.argument.backend import LayerRunner
from deepprove_dist.protocol.table import IntArray


def accumulate(state: State, layer: str, x: Integers) -> Integers:
    """The rank's share of a layer's accumulator."""
    return narrow(state.key.layers[layer].accumulate(x))


@dataclass(frozen=True)
class SharedLayer:
    """A layer whose weights are cut among the workers."""

    team: Team
    layer: SplitLayer

    def accumulate(self, x: IntArray) -> IntArray:
        """The layer's accumulator of an input, both [samples, *shape]."""
        values, layer = narrow(x), self.layer
        cuts = slices(layer.shape[layer.axis], self.team.capacities)
        with self.team.phase("inference"):
            arguments = {
                rank: {"layer": layer.node.output, "x": layer.cut(values, interval)}
                for rank, interval in enumerate(cuts)
                if interval[0] < interval[1]
            }
            answers = self.team.call("accumulate", arguments)
        return layer.join_accumulators(list(answers.values()))


def shared_layers(team: Team, layers: Mapping[str, SplitLayer]) -> dict[str, LayerRunner]:
    """For each split layer, by its output's name, what computes its accumulator."""
    return {name: SharedLayer(team, layer).accumulate for name, layer in layers.items()}
