"""The counts of a lowered model that its soundness account and cost model depend on."""

from __future__ import annotations

from math import prod

from deepprove_dist.protocol.lookup.tree import MIN_LEVELS
from deepprove_dist.protocol.parameters import Lookups, PointClaims, ProtocolShape, SumcheckInstances
from deepprove_dist.protocol.relations.system import System, space_bits

CLAIMS_OF_LOOKUPS = 2
"""Numerator and denominator."""

FACTORS = 2
"""Of every product; also the degree of its sumcheck."""


def protocol_shape(system: System) -> ProtocolShape:
    """The counts of a system for a fixed number of samples."""
    contractions = [r for r in system.relations if r.products]
    linear = [r for r in system.relations if not r.products]
    products = [product for relation in contractions for product in relation.products]
    owners = [lookup.columns[0] for lookup in system.lookups] + [t.multiplicity for t in system.tables]
    fractions = sum(prod(system.tensors[tensor].shape) for tensor in owners)
    levels = max(MIN_LEVELS, (fractions - 1).bit_length()) if fractions else 0
    return ProtocolShape(
        public=PointClaims(
            len(system.public), max(space_bits(system.tensors[p.tensor].shape) for p in system.public)
        ),
        linear=PointClaims(len(linear), max((space_bits(r.affine.space) for r in linear), default=0)),
        sumcheck=SumcheckInstances(
            count=len(products),
            point_variables=max((space_bits(r.affine.space) for r in contractions), default=0),
            variables=max((space_bits(product.contracted) for product in products), default=0),
            degree=FACTORS if products else 0,
        ),
        lookups=Lookups(levels, fractions, max((table.width for table in system.tables), default=0)),
        claims=len(system.public)
        + len(system.relations)
        + FACTORS * len(products)
        + (CLAIMS_OF_LOOKUPS if fractions else 0),
    )
