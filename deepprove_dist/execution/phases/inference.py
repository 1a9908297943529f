"""Inference: large layers are computed by all workers, a slice of the weights each; the rest is done here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepprove_dist.execution.assignment import slices
from deepprove_dist.execution.phases.layer_shares import Integers, SplitLayer, narrow
from deepprove_dist.execution.state import State
from deepprove_dist.execution.team import Team
from deepprove_dist.protocol.table import IntArray


def accumulate(state: State, layer: str, x: Integers) -> Integers:
    """The rank's share of a layer's accumulator."""
    return narrow(state.key.layers[layer].accumulate(x))


def remote_layers(team: Team, layers: Mapping[str, SplitLayer]) -> dict[str, Callable[[IntArray], IntArray]]:
    """For each split layer, by its output's name, what computes its accumulator of an input."""

    def run(layer: SplitLayer) -> Callable[[IntArray], IntArray]:
        cuts = slices(layer.shape[layer.axis], team.capacities)

        def accumulator(x: IntArray) -> IntArray:
            own = narrow(x)
            with team.phase("inference"):
                arguments = {
                    rank: {"layer": layer.node.output, "x": layer.cut(own, interval)}
                    for rank, interval in enumerate(cuts)
                    if interval[0] < interval[1]
                }
                answers = team.call("accumulate", arguments)
            return layer.join_accumulators(list(answers.values()))

        return accumulator

    return {name: run(layer) for name, layer in layers.items()}
