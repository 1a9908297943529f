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
from deepprove_dist.kernels import (
    AxisVector,
    BlockDiagonalTerm,
    ClaimTerms,
    DyadicBlocks,
    Extension,
    ExtensionVector,
    PowersTerm,
    ProductTerm,
    Terms,
    scaled_terms,
)
from deepprove_dist.protocol.claims.sent import NO_PADS, PadPart, SentValue
from deepprove_dist.protocol.system.system import axis_bits

ONE = Extension(1)
GENERATOR = Extension.from_bytes(bytes([*[0] * 4, 1, *[0] * 15]))
"""Y, whose powers 1, Y, ..., Y^4 are the basis of the extension's coordinates."""


ClaimTerm = ProductTerm | BlockDiagonalTerm | PowersTerm
"""A part of a claim: coefficient * tensor, or the columns of a matrix.

- `ProductTerm(coefficient, tensor, axes)`: weighed by one vector an axis, of that axis's size.
- `BlockDiagonalTerm(coefficient, tensor, factors, point)`: dyadic block B is weighed by factors[B] times eq.
  At its index i, of 2^k, this is eq(last k coordinates of point, i). There is one factor a block, in the
  order of the tensor's blocks. The point has at least as many coordinates as the largest block has bits.
- `PowersTerm(addresses, log_rows, z)`: sum_c sum_i M[i][c] z^(c rows + i), c from 0 on. The addresses are
  those of the matrix's columns, in the order of the powers. A column has 2^log_rows rows.

Tensors are known by their index in the system. A verifier has thousands of terms, which the kernels keep.
`ClaimTerms` are some of them as one object, and yield them one by one.
"""

NO_TERMS = ClaimTerms()


class Claim(FrozenStruct, frozen=True):
    """The sum of the terms, and of the pad part of the scalars that `value` was computed from, is `value`."""

    value: Extension
    terms: ClaimTerms
    pads: PadPart = NO_PADS

    @classmethod
    def about(cls, sent: SentValue, terms: ClaimTerms) -> Claim:
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
        claim = Claim(Extension(0), ClaimTerms([ProductTerm(ONE, tensor, axes)]))
        return CombinedClaims((claim, *self.claims), ExtensionVector([1]) + self.scales, self.value)


def combine(claims: Iterable[Claim], challenge: Extension) -> CombinedClaims:
    """sum_j challenge^j claim_j, in the order of the claims: the first one has the power 0."""
    claims = tuple(claims)
    scales = ExtensionVector.powers(challenge, len(claims))
    total = scales.dot(ExtensionVector([claim.value for claim in claims]))
    runs: list[tuple[int, ExtensionVector]] = []
    for index, claim in enumerate(claims):
        if claim.pads.runs:
            runs += claim.pads.scaled(scales[index]).runs
    return CombinedClaims(claims, scales, total, PadPart(tuple(runs)))


def split_point(point: ExtensionVector, shape: Shape) -> list[ExtensionVector]:
    """The coordinates of each axis of an index space: for an axis of size d, ceil(log2 d) of them."""
    parts, start = [], 0
    for size in shape:
        end = start + axis_bits(size)
        parts.append(point[start:end])
        start = end
    return parts
