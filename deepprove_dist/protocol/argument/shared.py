"""What prover and verifier derive alike: samples, the order of claims, their combination.

The mask claim of a hiding proof comes first. Then come those of inputs, outputs, relations (affine sides,
then factors), leaves of lookups, and products. Out-of-domain samples follow: the witness's, those of hidden
tensors, and last that of committed weights. Claim j is scaled by c^j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from deepprove_dist.kernels import ClaimTerms, Extension, ExtensionVector, PowersTerm, Transcript
from deepprove_dist.protocol.claims.claim import NO_TERMS, Claim, CombinedClaims, combine
from deepprove_dist.protocol.claims.layout import Layout, MatrixColumns
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.key.key import Instance, KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment, out_of_domain_point
from deepprove_dist.protocol.lookup.verify import LookupClaims, verify_lookups
from deepprove_dist.protocol.messages.commitment import Commitment
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.opening.mask import RandomRowWeights
from deepprove_dist.protocol.parameters import FINALS, InitialCode
from deepprove_dist.protocol.products.check import ProductCheck
from deepprove_dist.protocol.relations.verify import RelationClaims, verify_relations
from deepprove_dist.protocol.system.system import Matrix


@dataclass(frozen=True)
class Sample:
    """A matrix out of its code's domain: sum_c sum_i M[i][c] z^(c rows + i) = answer.

    In a hiding proof the witness's random rows follow, with the powers after all rows of data.
    """

    matrix: Matrix | MatrixColumns
    z: Extension
    answer: Extension


@dataclass(frozen=True)
class ReducedClaims:
    """What relations and lookups end in: claims about committed values, and checks of products."""

    of_relations: RelationClaims
    of_lookups: LookupClaims

    @property
    def claims(self) -> list[Claim]:
        """Relations' first."""
        return self.of_relations.claims + self.of_lookups.claims

    @cached_property
    def products(self) -> list[ProductCheck]:
        """Relations' first."""
        return self.of_relations.products + self.of_lookups.products


@dataclass(frozen=True)
class BatchedClaims:
    """All claims as one; in a hiding proof the weights that it gives to random rows."""

    combined: CombinedClaims
    random_rows: RandomRowWeights | None

    def with_pads(self, instance: Instance) -> BatchedClaims:
        """The same with the claims' pad parts as a term on the instance's tensor of pads, if it has one."""
        if instance.pads == 0:
            return self
        combined = self.combined.with_pads(instance.pads_tensor, instance.pads + FINALS)
        return BatchedClaims(combined, self.random_rows)


def absorb_root(transcript: Transcript, root: bytes) -> Extension:
    """The witness's root, 32 bytes, is sent, and the out-of-domain point z drawn (STIR, eprint 2024/390)."""
    transcript.absorb("witness/root", root)
    return transcript.challenge("witness/out-of-domain")


def absorb_answer(transcript: Transcript, z: Extension, answer: Extension) -> Sample:
    """The witness's value at z is sent."""
    transcript.absorb_extension("witness/answer", ExtensionVector([answer]))
    return Sample(Matrix.WITNESS, z, answer)


def absorb_mask(transcript: Transcript, value: Extension) -> Claim:
    """The mask claim's value is sent; its terms are random rows alone, which the opening weighs."""
    transcript.absorb_extension("mask/value", ExtensionVector([value]))
    return Claim(value, NO_TERMS)


def reduce_claims(
    instance: Instance,
    relations: RelationsProof,
    fractions: ExtensionVector,
    transcript: Transcript,
    pads: Pads,
) -> ReducedClaims:
    """What was sent for relations and lookups, as claims. Raises VerificationError for wrong counts."""
    system = instance.system
    of_relations = verify_relations(system, relations, transcript, pads)
    of_lookups = verify_lookups(system, instance.leaves, fractions, transcript, pads)
    return ReducedClaims(of_relations, of_lookups)


def weights_sample(key: KeyContent, matrix: Matrix, weights: WeightCommitment) -> Sample:
    """What a commitment to the key's weights says of `matrix`; the key's parameters and the root fix z."""
    return Sample(matrix, out_of_domain_point(key.security, weights.root), weights.answer)


def hidden_samples(layout: Layout, commitments: Sequence[Commitment]) -> list[Sample]:
    """What the commitments to hidden tensors say of their matrices."""
    matrices = zip(layout.parts(Matrix.HIDDEN), commitments, strict=True)
    return [Sample(matrix, commitment.point, commitment.answer) for matrix, commitment in matrices]


def combine_claims(
    code: InitialCode,
    layout: Layout,
    claims: Sequence[Claim],
    samples: Sequence[Sample],
    omega: ExtensionVector,
    transcript: Transcript,
) -> BatchedClaims:
    """All claims, samples last, as one: sum_j c^j claim_j, with the challenge c drawn here.

    The first of the samples is the witness's.
    """
    challenge = transcript.challenge("opening/claims")
    sampled = [
        Claim(sample.answer, ClaimTerms([_powers(layout, sample.matrix, sample.z)])) for sample in samples
    ]
    combined = combine([*claims, *sampled], challenge)
    if not code.hiding:
        return BatchedClaims(combined, None)
    scale = combined.scales[len(claims)]
    return BatchedClaims(combined, RandomRowWeights(code, omega, samples[0].z, scale))


def _powers(layout: Layout, matrix: Matrix | MatrixColumns, z: Extension) -> PowersTerm:
    return PowersTerm(layout.addresses_of(matrix), layout.log_rows, z)
