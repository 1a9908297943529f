"""Linear claims: "the inner product of this structured vector with the committed values is v".

Every step of the protocol ends in such claims. `ClaimList` gathers them in the order in which prover and
verifier come upon them; `batch` turns all of them into one with powers of a challenge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deepprove_dist.kernels import AxisVector, DyadicBlocks, Extension, ExtensionVector, Terms
from deepprove_dist.protocol.relations.system import Shape, axis_bits

ONE = Extension(1)


@dataclass(frozen=True)
class ProductTerm:
    """coefficient * tensor, weighed by one vector an axis."""

    coefficient: Extension
    tensor: int
    axes: tuple[AxisVector, ...]


@dataclass(frozen=True)
class BoxwiseTerm:
    """coefficient * tensor, weighed in each box by a factor times eq(last coordinates of `point`, place)."""

    coefficient: Extension
    tensor: int
    factors: ExtensionVector
    point: ExtensionVector


@dataclass(frozen=True)
class PowersTerm:
    """All values of a matrix, given as the boxes of its columns, weighed by powers of z."""

    boxes: DyadicBlocks
    z: Extension


ClaimTerm = ProductTerm | BoxwiseTerm | PowersTerm


@dataclass(frozen=True)
class Claim:
    """The sum of the terms has this value."""

    value: Extension
    terms: tuple[ClaimTerm, ...]


@dataclass
class ClaimList:
    """Claims in the order of the protocol."""

    claims: list[Claim] = field(default_factory=list)

    def add(self, value: Extension, *terms: ClaimTerm) -> None:
        """Adds a claim."""
        self.claims.append(Claim(value, terms))


def batch(
    claims: Sequence[Claim], boxes: Sequence[DyadicBlocks], challenge: Extension
) -> tuple[Terms, Extension, ExtensionVector]:
    """sum_j challenge^j claim_j: its terms, its value, and the powers; `boxes` are those of each tensor."""
    powers, total = combined(claims, challenge)
    return scaled_terms([claim.terms for claim in claims], boxes, powers), total, powers


def combined(claims: Sequence[Claim], challenge: Extension) -> tuple[ExtensionVector, Extension]:
    """The powers of a challenge that scale claims, and the value of the scaled claims together."""
    powers, total = ExtensionVector.powers(challenge, len(claims)), Extension(0)
    for index, claim in enumerate(claims):
        total += powers[index] * claim.value
    return powers, total


def scaled_terms(
    claims: Iterable[Iterable[ClaimTerm]], boxes: Sequence[DyadicBlocks], scales: ExtensionVector
) -> Terms:
    """The terms of some claims, each claim with a scale of its own."""
    terms = Terms()
    for index, own in enumerate(claims):
        scale = scales[index]
        for term in own:
            match term:
                case ProductTerm():
                    terms.add_product(scale * term.coefficient, boxes[term.tensor], list(term.axes))
                case BoxwiseTerm():
                    coefficient = scale * term.coefficient
                    terms.add_block_diagonal(coefficient, boxes[term.tensor], term.factors, term.point)
                case PowersTerm():
                    terms.add_powers(scale, term.boxes, term.z)
    return terms


def split_point(point: ExtensionVector, shape: Shape) -> list[ExtensionVector]:
    """The coordinates of each axis of an index space."""
    parts, start = [], 0
    for size in shape:
        end = start + axis_bits(size)
        parts.append(point[start:end])
        start = end
    return parts
