"""Contractions: workers bind the output axes of their slices of large layers' weights.

What is left has the size of a layer's input, little beside its weights: it is gathered, and the batched
sumcheck runs here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepprove_dist.execution.phases.layer_shares import SplitLayer
from deepprove_dist.execution.state import State
from deepprove_dist.execution.team import Team
from deepprove_dist.kernels import ExtensionVector, Pool
from deepprove_dist.protocol.relations.contraction import BoundRelation, Instance, instances
from deepprove_dist.protocol.relations.prove import Binder, Values, bind_factor, spread_factor


def bind(state: State, points: Sequence[ExtensionVector]) -> dict[str, ExtensionVector]:
    """The rank's slices of large layers' weights, bound at the relations' points."""
    relations = state.proof.instance.system.relations
    bound = [BoundRelation.at(relation, point) for relation, point in zip(relations, points, strict=True)]
    batch = instances(bound)
    return {name: share.bind(batch, state.pool) for name, share in state.key.layers.items()}


def shared_binder(team: Team, layers: Mapping[str, SplitLayer], values: Values, pool: Pool) -> Binder:
    """Binds split layers' weights by all workers, all other factors here."""
    split = {(layer.product, layer.side): name for name, layer in layers.items()}

    def run(bound: Sequence[BoundRelation], batch: Sequence[Instance]) -> list[list[ExtensionVector]]:
        shares: list[dict[str, ExtensionVector]] = []
        if split:
            with team.phase("relations"):
                shares = team.call_all("bind", points=[relation.point for relation in bound])
        result = []
        for product, instance in enumerate(batch):
            own = []
            for side, factor in enumerate(instance.factors):
                name = split.get((product, side))
                if name is None:
                    own.append(bind_factor(values(factor.value), instance, factor, pool))
                else:
                    parts = [share[name] for share in shares if name in share]
                    joined = layers[name].join_bound(parts)
                    own.append(spread_factor(joined, instance, factor, pool))
            result.append(own)
        return result

    return run
