"""The counts of a lowered model that its soundness account and cost model depend on."""

from __future__ import annotations

from math import prod

from deepprove_dist.protocol.lookup.tree import MIN_LEVELS
from deepprove_dist.protocol.parameters import (
    Lookups,
    PointClaims,
    ProtocolShape,
    SumcheckInstances,
    round_coefficients,
)
from deepprove_dist.protocol.system.system import FACTORS, System, space_bits

CLAIMS_OF_LOOKUPS = 2
"""Numerator and denominator."""


def protocol_shape(system: System) -> ProtocolShape:
    """The counts of a system for a fixed number of samples."""
    # A relation binds a hidden tensor.
    public = [public for public in system.public if not system.is_hidden(public)]
    contractions = [r for r in system.relations if r.products]
    linear = [r for r in system.relations if not r.products]
    sumchecks = [sumcheck for relation in contractions for sumcheck in relation.sumchecks]
    instances = [(sumcheck.variables, sumcheck.degree) for sumcheck in sumchecks]
    # Leaf blocks of expressions are padded to the bits of their axes; padding counts as no fraction.
    spaces = [lookup.columns[0].space for lookup in system.lookups]
    padded = sum(
        prod(space) if lookup.stored is not None else 1 << space_bits(space)
        for space, lookup in zip(spaces, system.lookups, strict=True)
    )
    rows = sum(table.size for table in system.tables)
    fractions = sum(map(prod, spaces)) + rows
    levels = max(MIN_LEVELS, (padded + rows - 1).bit_length()) if fractions else 0
    return ProtocolShape(
        public=PointClaims(
            len(public), max((space_bits(system.tensors[p.tensor].shape) for p in public), default=0)
        ),
        linear=PointClaims(len(linear), max((space_bits(r.affine.space) for r in linear), default=0)),
        sumcheck=SumcheckInstances(
            count=len(instances),
            point_variables=max((space_bits(r.affine.space) for r in contractions), default=0),
            variables=max((variables for variables, _ in instances), default=0),
            degree=max((degree for _, degree in instances), default=0),
            coefficients=round_coefficients(instances),
        ),
        lookups=Lookups(levels, fractions, max((table.width for table in system.tables), default=0)),
        claims=len(public)
        + len(system.relations)
        + FACTORS * len(instances)
        + (CLAIMS_OF_LOOKUPS if fractions else 0),
    )
