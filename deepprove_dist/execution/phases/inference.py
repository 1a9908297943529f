"""Inference: layers of many multiplications are computed by all workers, a slice of the weights each.

The rest is done here: sending activations takes longer than most layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepprove_dist.arrays import IntArray
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.layer_shares import SplitLayer
from deepprove_dist.execution.phases.policy import Policy
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.narrow_integers import Integers, narrow
from deepprove_dist.protocol.argument.backend import LayerRunner


def accumulate(state: WorkerState, layer: str, x: Integers) -> Integers:
    """The rank's share of a layer's accumulator."""
    return narrow(state.key.layers[layer].accumulate(x, state.operators))


@dataclass(frozen=True)
class SharedLayer:
    """A layer whose weights are cut among the workers."""

    group: WorkerGroup
    layer: SplitLayer

    def accumulate(self, x: IntArray) -> IntArray:
        """The layer's accumulator of an input, both [samples, *shape]."""
        values, layer = narrow(x), self.layer
        cuts = self.group.assignment.slices(layer.shape[layer.axis])
        with self.group.phase("inference"):
            calls = {
                rank: Call.to(accumulate, layer=layer.node.output, x=layer.cut(values, interval))
                for rank, interval in enumerate(cuts)
                if interval[0] < interval[1]
            }
            answers = self.group.call(calls)
        return layer.join_accumulators(list(answers.values()))


def shared_layers(
    group: WorkerGroup, layers: Mapping[str, SplitLayer], policy: Policy
) -> dict[str, LayerRunner]:
    """By the output's name of each split layer that workers compute sooner: what computes its accumulator."""
    ranks = len(group.ranks)
    return {
        name: SharedLayer(group, layer).accumulate
        for name, layer in layers.items()
        if policy.shares_inference(layer.multiplications, layer.sent_bytes, ranks)
    }
