"""What prover and verifier of a certificate derive alike: sizes, layout, and the claims about weights.

Tensors of weights are numbered twice, in the order of the key. First come those of the anchor, which are the
old epoch's, then the new epoch's. Both stand in their matrix as in a proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.arrays import Shape
from deepprove_dist.kernels import AxisVector, ClaimTerms, Extension, ProductTerm, Transcript
from deepprove_dist.protocol.argument.shared import Sample, weights_sample
from deepprove_dist.protocol.claims.claim import ONE, Claim, split_point
from deepprove_dist.protocol.claims.columns import column_addresses
from deepprove_dist.protocol.claims.layout import DyadicBlock, Layout, MatrixColumns
from deepprove_dist.protocol.key.key import FRAMING, PART_FRAMING, KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.messages.certificate import CertificateStatement
from deepprove_dist.protocol.parameters import (
    InitialCode,
    ProtocolShape,
    certificate_shape,
    most_certificate_bytes,
)
from deepprove_dist.protocol.system.system import Matrix, space_bits

MINUS_ONE = Extension(-1)

STATEMENT_BYTES = 1 << 12
"""Of a certificate's statement: its schedule, digests and answers."""

_PARTS = 3 + 2
"""Trees, and parts beside them and those of rounds."""


@dataclass(frozen=True)
class CertifiedWeights:
    """The tensors of a key's weights, and where their blocks stand in the matrix of weights."""

    shapes: tuple[Shape, ...]
    blocks: tuple[tuple[DyadicBlock, ...], ...]

    @classmethod
    def of(cls, key: KeyContent) -> CertifiedWeights:
        """Those of a key that commits them."""
        instance = key.instance(key.max_batch)
        tensors = enumerate(instance.system.tensors)
        indices = [index for index, tensor in tensors if tensor.matrix is Matrix.WEIGHTS]
        shapes = tuple(instance.system.tensors[index].shape for index in indices)
        return cls(shapes, tuple(instance.layout.blocks[index] for index in indices))

    @property
    def shape(self) -> ProtocolShape:
        """The counts that the soundness account of a certificate depends on."""
        return certificate_shape(len(self.shapes), max(map(space_bits, self.shapes)))

    def lay_out(self, code: InitialCode) -> Layout:
        """The layout of a certificate's three matrices, whose initial code is `code`."""
        first = code.weight_columns << code.log_rows
        moved = tuple(
            tuple(DyadicBlock(first + block.position, block.intervals) for block in blocks)
            for blocks in self.blocks
        )
        parts, start, count = list[MatrixColumns](), 0, len(self.shapes)
        old, new = tuple(range(count)), tuple(range(count, 2 * count))
        for item, tensors in zip(code.matrices, (old, new, ()), strict=True):
            needed = item.columns if tensors else 0
            parts.append(MatrixColumns(Matrix(item.matrix), start, item.columns, needed, tensors))
            start += item.columns
        return Layout(code.log_rows, tuple(parts), self.blocks + moved, column_addresses(code))

    def claims(self, transcript: Transcript) -> list[Claim]:
        """For each tensor: at a point that is drawn here, the new epoch's has the value of the old one's."""
        claims = []
        for tensor, shape in enumerate(self.shapes):
            point = transcript.challenges("certificate/point", space_bits(shape))
            axes = tuple(map(AxisVector.eq, split_point(point, shape)))
            new = ProductTerm(ONE, len(self.shapes) + tensor, axes)
            terms = ClaimTerms([new, ProductTerm(MINUS_ONE, tensor, axes)])
            claims.append(Claim(Extension(0), terms))
        return claims


def weights_samples(key: KeyContent, statement: CertificateStatement) -> list[Sample]:
    """What the commitments of both epochs say of their matrices out of the code's domain."""
    epochs = ((Matrix.ANCHOR, statement.old), (Matrix.WEIGHTS, statement.new))
    return [weights_sample(key, matrix, WeightCommitment(e.root, e.answer)) for matrix, e in epochs]


def max_certificate_bytes(key: KeyContent) -> int:
    """Bytes that no certificate of the key's epochs exceeds; 0 for a key without epochs."""
    if key.anchor is None:
        return 0
    parts = PART_FRAMING * (_PARTS + 2 * len(key.schedule.rounds))
    opening = most_certificate_bytes(key.schedule, CertifiedWeights.of(key).shape)
    return STATEMENT_BYTES + opening + FRAMING + parts
