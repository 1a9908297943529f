"""Contractions: workers bind the output axes of their slices of large layers' weights.

The bound weights have the size of a layer's input, which is small beside its weights. They are gathered, and
the batched sumcheck runs here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from deepprove_dist.ahead import begun
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.layer_shares import SplitLayer
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.kernels import ExtensionVector, Pool
from deepprove_dist.protocol.relations.contraction import (
    BoundRelation,
    ProductInstance,
    product_instances,
)
from deepprove_dist.protocol.relations.prove import BoundFactors, LocalBinder, bind_to_taps
from deepprove_dist.protocol.system.system import FACTORS


def bind(state: WorkerState, points: Sequence[ExtensionVector]) -> dict[str, ExtensionVector]:
    """The rank's slices of large layers' weights, bound at the relations' points."""
    relations = state.proof.instance.system.relations
    bound = [BoundRelation.at(relation, point) for relation, point in zip(relations, points, strict=True)]
    products = product_instances(bound)
    return {name: share.bind(products, state.pool) for name, share in state.key.layers.items()}


class SharedBinder:
    """Binds split layers' weights by all workers, and all other factors by the local binder."""

    def __init__(
        self, group: WorkerGroup, layers: Mapping[str, SplitLayer], local: LocalBinder, pool: Pool
    ) -> None:
        self._group, self._layers, self._local, self._pool = group, layers, local, pool
        self._names = {(layer.product, layer.side): name for name, layer in layers.items()}

    def bind_factors(
        self, relations: Sequence[BoundRelation], products: Sequence[ProductInstance]
    ) -> list[BoundFactors]:
        """See `FactorBinder`."""
        if not self._names:
            return self._local.bind_factors(relations, products)
        # Other factors are bound meanwhile.
        local = begun(partial(self._bind_local, products))
        with self._group.phase("relations"):
            shares = self._group.call_all(bind, points=[bound.point for bound in relations])
        whole, sides = local()
        for (product, side), name in self._names.items():
            instance = products[product]
            joined = self._layers[name].join_bound([share[name] for share in shares if name in share])
            sides[product, side] = bind_to_taps(joined, instance, instance.factors[side], self._pool)
        return [
            whole[product] if product in whole else [sides[product, side] for side in range(FACTORS)]
            for product in range(len(products))
        ]

    def _bind_local(
        self, products: Sequence[ProductInstance]
    ) -> tuple[dict[int, BoundFactors], dict[tuple[int, int], ExtensionVector]]:
        """By product what no worker shares; and by product and side the factors beside split weights."""
        split = {product for product, _ in self._names}
        whole = {
            product: self._local.bind_product(instance)
            for product, instance in enumerate(products)
            if product not in split
        }
        sides = {
            (product, side): self._local.bind_factor(products[product], factor)
            for product in split
            for side, factor in enumerate(products[product].factors)
            if (product, side) not in self._names
        }
        return whole, sides
