"""What the key says of the weights: a commitment and its out-of-domain answer, or the model itself.

Committed weights: z = H(schedule, root) fixes one out-of-domain point, y = sum_a W[a] z^a over all addresses
of the weight matrix. The key holds root and y only; the verifier derives z, so a key cannot choose it. A root
may stand for a list of matrices; the sample leaves one of them, before any proof is made.

Public weights: the verifier has the model and evaluates the weights' terms of all claims itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from deepprove_dist.canonical import Digest, Record
from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, ClaimTerms, Extension, Pool, ProductTerm, Transcript
from deepprove_dist.protocol.claims.claim import Claim, ClaimTerm
from deepprove_dist.protocol.claims.public import evaluate
from deepprove_dist.protocol.system.system import Matrix, System


@dataclass(frozen=True)
class PublicWeights:
    """An integer model as a verifier reads it.

    It has the digest of the model's file, the lowered form, and the weights as field elements, by tensor.
    Made from a whole model only, so that these three belong together (`load_public_weights`).
    """

    model_digest: bytes
    system: System
    vectors: Mapping[int, BaseVector]


class WeightCommitment(Record, frozen=True):
    """Merkle root of the weights' code, and the out-of-domain answer."""

    root: Digest
    answer: Extension


def out_of_domain_point(security: bytes, root: bytes) -> Extension:
    """The point that a root determines; `security` encodes the schedule, hence all sizes."""
    transcript = Transcript(b"deepprove-dist weights")
    transcript.absorb("parameters", security)
    transcript.absorb("root", root)
    return transcript.challenge("out-of-domain")


def evaluate_public_weights(
    system: System, claims: list[Claim], weights: Mapping[int, BaseVector], pool: Pool
) -> list[Claim]:
    """The claims without their weights' terms, whose values are evaluated and taken off.

    Raises VerificationError for weights of other sizes than the system's, or a claim about weights alone that
    does not hold.
    """
    for index, tensor in enumerate(system.tensors):
        missing = index not in weights or len(weights[index]) != prod(tensor.shape)
        if tensor.matrix is Matrix.WEIGHTS and missing:
            message = "the weights are missing or have another size"
            raise VerificationError(
                Check.WEIGHTS_SIZE, message, subject=tensor.name, expected=prod(tensor.shape)
            )
    remaining = []
    for claim in claims:
        value, terms = claim.value, list[ClaimTerm]()
        for term in claim.terms:
            if not isinstance(term, ProductTerm) or system.tensors[term.tensor].matrix is not Matrix.WEIGHTS:
                terms.append(term)
                continue
            shape = system.tensors[term.tensor].shape
            axes = [vector.dense(size) for vector, size in zip(term.axes, shape, strict=True)]
            value -= term.coefficient * evaluate(weights[term.tensor], shape, axes, pool)
        if terms or claim.pads.runs:
            remaining.append(Claim(value, ClaimTerms(terms), claim.pads))
        elif value != Extension(0):
            raise VerificationError(Check.WEIGHTS_CLAIM, "a claim about the weights does not hold")
    return remaining
