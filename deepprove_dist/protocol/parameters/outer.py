"""Errors outside the opening: of relations, lookups and products, by the numbers of a shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

from .regimes import FIELD_BITS
from .shape import ProtocolShape


@dataclass(frozen=True)
class ErrorTerm:
    """One error 2^-bits of the protocol; `detail` is the formula with its numbers.

    Terms of the same `step` are about challenges that are drawn together, or in rounds that are counted
    together.
    """

    name: str
    bits: float
    detail: str
    step: str


def outer_terms(shape: ProtocolShape, *, hiding: bool) -> Iterator[ErrorTerm]:
    """The errors that no code enters; a hiding proof has one more, of its small sumcheck."""
    lookups, sumcheck, products = shape.lookups, shape.sumcheck, shape.products
    layers, powers = lookups.log_leaves, max(sumcheck.count - 1, 0)
    points, drawn, tuples = "points x variables", "points", lookups.fractions * (lookups.width + 2)
    # A layer of l variables has l cubic rounds, a batching challenge and a branch challenge.
    tree = 2 * layers + 3 * layers * (layers - 1) // 2
    # Powers of u, then its rounds; they are drawn only where something is multiplied.
    checks = products.constraints - 1 + products.small_scalars if hiding and products.rows else 0
    roots = (
        ("public tensors", shape.public.count * shape.public.variables, points, drawn),
        ("linear relations", shape.linear.count * shape.linear.variables, points, drawn),
        ("relation points", sumcheck.count * sumcheck.point_variables, points, drawn),
        ("relation batching", powers, "highest power", "batching"),
        ("relation sumcheck", sumcheck.variables * sumcheck.degree, "rounds x degree", "sumcheck"),
        ("lookup fingerprints", tuples, "fractions x (width + 2)", "lookups"),
        ("fraction tree", tree, f"{layers} layers of cubic rounds", "fraction tree"),
        ("products", checks, "constraints - 1, and rounds x degree 3", "products"),
    )
    for name, count, what, step in roots:
        if count > 0:
            detail = f"{count} / |EF| ({what})"
            yield ErrorTerm(name, challenge_bits(log2(count)), detail, step)


def challenge_bits(roots_log2: float) -> float:
    """Bits of the error that one challenge is among so many roots."""
    return FIELD_BITS - roots_log2
