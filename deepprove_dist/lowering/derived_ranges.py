"""Ranges of relations without weights: `check` derives them from proven ranges, and compares.

So does a builder, once it has all lookups. Operators need not know which ranges their factors have got.
"""

from __future__ import annotations

from deepprove_dist.canonical import replace
from deepprove_dist.protocol.system.bounds import has_weights
from deepprove_dist.protocol.system.check import proven_ranges
from deepprove_dist.protocol.system.maxima import Maxima
from deepprove_dist.protocol.system.product_ranges import range_without_weights
from deepprove_dist.protocol.system.ranges import folded_range
from deepprove_dist.protocol.system.system import Affine, Relation, System
from deepprove_dist.protocol.system.table import Interval


def with_derived_ranges(system: System) -> System:
    """The system with the ranges of products of the witness alone, as `check` derives them."""
    if not any(_of_witness(system, relation) for relation in system.relations):
        return system
    ranges = proven_ranges(system)

    def range_of(affine: Affine) -> Interval:
        return folded_range(system, affine, ranges, plain)

    plain = Maxima(range_of)

    def derived(relation: Relation) -> Relation:
        factors = [f.value for product in relation.products for f in (product.left, product.right)]
        proven = all(term.tensor in ranges for value in factors for term in value.terms)
        known = range_without_weights(system, relation, ranges, plain) if proven else None
        return relation if known is None else replace(relation, low=known[0], high=known[1])

    relations = (derived(r) if _of_witness(system, r) else r for r in system.relations)
    return replace(system, relations=tuple(relations))


def _of_witness(system: System, relation: Relation) -> bool:
    return bool(relation.products) and not has_weights(system, relation)
