"""Linear claims: "the inner product of this structured vector with the committed values is v".

Every step of the protocol ends in such claims, and returns them in the order of the protocol. With powers of
a challenge c all of them become one: sum_j c^j <w_j, M> = sum_j c^j v_j.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import FrozenStruct
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import AxisVector, DyadicBlocks, Extension, ExtensionVector, Terms
from deepprove_dist.protocol.claims.sent import NO_PADS, PadPart, SentValue
from deepprove_dist.protocol.system.system import axis_bits

ONE = Extension(1)
GENERATOR = Extension.from_bytes(bytes([*[0] * 4, 1, *[0] * 15]))
"""Y, whose powers 1, Y, ..., Y^4 are the basis of the extension's coordinates."""


class ProductTerm(FrozenStruct, frozen=True):
    """coefficient * tensor, weighed by one vector an axis.

    Attributes:
        coefficient: scales the whole term.
        tensor: the tensor's index in the system.
        axes: for each axis of the tensor, a vector of that axis's size.
    """

    coefficient: Extension
    tensor: int
    axes: tuple[AxisVector, ...]


class BlockDiagonalTerm(FrozenStruct, frozen=True):
    """coefficient * tensor, with weights of its own in each dyadic block.

    At the index i of block B, of 2^k values, the weight is factors[B] * eq(last k coordinates of point, i).

    Attributes:
        coefficient: scales the whole term.
        tensor: the tensor's index in the system.
        factors: one element a block, in the order of the tensor's blocks.
        point: at least as many coordinates as the largest block has bits.
    """

    coefficient: Extension
    tensor: int
    factors: ExtensionVector
    point: ExtensionVector


@dataclass(frozen=True)
class PowersTerm:
    """The columns of a matrix, weighed by powers of z: sum_c sum_i M[i][c] z^(c rows + i), c from 0 on.

    Attributes:
        addresses: of the matrix's columns, in the order of the powers.
        log_rows: log2 of the rows of a column.
        z: the point.
    """

    addresses: tuple[int, ...]
    log_rows: int
    z: Extension


ClaimTerm = ProductTerm | BlockDiagonalTerm | PowersTerm


@dataclass(frozen=True)
class Claim:
    """The sum of the terms, and of the pad part of the scalars that `value` was computed from, is `value`."""

    value: Extension
    terms: tuple[ClaimTerm, ...]
    pads: PadPart = NO_PADS

    @classmethod
    def about(cls, sent: SentValue, terms: tuple[ClaimTerm, ...]) -> Claim:
        """The terms' sum is the true value of what was sent."""
        return cls(sent.value, terms, sent.pads)


@dataclass(frozen=True)
class CombinedClaims:
    """Some claims as one: the sum of all of them, claim j scaled by scales[j], has this value.

    `pads` is the pad part of all of them together.
    """

    claims: tuple[Claim, ...]
    scales: ExtensionVector
    value: Extension
    pads: PadPart = NO_PADS

    def terms(self, blocks: Sequence[DyadicBlocks]) -> Terms:
        """The weights of the one claim; `blocks` are the dyadic blocks of each tensor, by its index."""
        return scaled_terms([claim.terms for claim in self.claims], blocks, self.scales)

    def with_pads(self, tensor: int, count: int) -> CombinedClaims:
        """The same with the pad part as a term on the tensor of pads, of shape (`count`, 5)."""
        basis = ExtensionVector.powers(GENERATOR, EXTENSION_DEGREE)
        axes = (AxisVector.explicit(self.pads.dense(count)), AxisVector.explicit(basis))
        term = Claim(Extension(0), (ProductTerm(ONE, tensor, axes),))
        return CombinedClaims((term, *self.claims), ExtensionVector([1]) + self.scales, self.value)


def combine(claims: Iterable[Claim], challenge: Extension) -> CombinedClaims:
    """sum_j challenge^j claim_j, in the order of the claims: the first one has the power 0."""
    claims = tuple(claims)
    scales, total = ExtensionVector.powers(challenge, len(claims)), Extension(0)
    runs: list[tuple[int, ExtensionVector]] = []
    for index, claim in enumerate(claims):
        total += scales[index] * claim.value
        runs += claim.pads.scaled(scales[index]).runs
    return CombinedClaims(claims, scales, total, PadPart(tuple(runs)))


def scaled_terms(
    claims: Iterable[Iterable[ClaimTerm]], blocks: Sequence[DyadicBlocks], scales: ExtensionVector
) -> Terms:
    """The terms of some claims, each claim with a scale of its own; `blocks` as in `CombinedClaims.terms`."""
    result = Terms()
    for index, terms in enumerate(claims):
        scale = scales[index]
        for term in terms:
            match term:
                case ProductTerm():
                    result.add_product(scale * term.coefficient, blocks[term.tensor], list(term.axes))
                case BlockDiagonalTerm():
                    coefficient = scale * term.coefficient
                    result.add_block_diagonal(coefficient, blocks[term.tensor], term.factors, term.point)
                case PowersTerm():
                    exponents = [column << term.log_rows for column in range(len(term.addresses))]
                    result.add_powers(scale, _whole_columns(term), term.z, exponents)
    return result


def _whole_columns(term: PowersTerm) -> DyadicBlocks:
    """The columns as blocks of one axis."""
    return DyadicBlocks([(address << term.log_rows, 0, term.log_rows) for address in term.addresses])


def split_point(point: ExtensionVector, shape: Shape) -> list[ExtensionVector]:
    """The coordinates of each axis of an index space: for an axis of size d, ceil(log2 d) of them."""
    parts, start = [], 0
    for size in shape:
        end = start + axis_bits(size)
        parts.append(point[start:end])
        start = end
    return parts
