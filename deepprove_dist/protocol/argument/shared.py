"""What prover and verifier derive alike: the witness's sample, the order of claims, their combination.

Claims come in this order: inputs, outputs, relations (affine sides, then factors), leaves of lookups. Then
come the out-of-domain samples: the witness's, and last that of committed weights. Claim j is scaled by c^j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.kernels import Extension, ExtensionVector, Transcript
from deepprove_dist.protocol.claims.claim import Claim, CombinedClaims, PowersTerm, combine
from deepprove_dist.protocol.key.key import Instance, KeyContent
from deepprove_dist.protocol.key.weights import out_of_domain_point
from deepprove_dist.protocol.system.system import Matrix


@dataclass(frozen=True)
class WitnessSample:
    """The witness matrix out of its code's domain: sum_a M[a] z^a = answer, over all of its addresses."""

    z: Extension
    answer: Extension


def absorb_root(transcript: Transcript, root: bytes) -> Extension:
    """The witness's root, 32 bytes, is sent, and the out-of-domain point z drawn (STIR, eprint 2024/390)."""
    transcript.absorb("witness/root", root)
    return transcript.challenge("witness/out-of-domain")


def absorb_answer(transcript: Transcript, z: Extension, answer: Extension) -> WitnessSample:
    """The witness's value at z is sent."""
    transcript.absorb_extension("witness/answer", ExtensionVector([answer]))
    return WitnessSample(z, answer)


def combine_claims(
    key: KeyContent,
    instance: Instance,
    claims: Sequence[Claim],
    sample: WitnessSample,
    transcript: Transcript,
) -> CombinedClaims:
    """All claims, samples last, as one: sum_j c^j claim_j, with the challenge c drawn here."""
    challenge = transcript.challenge("opening/claims")
    return combine([*claims, *_samples(key, instance, sample)], challenge)


def _samples(key: KeyContent, instance: Instance, sample: WitnessSample) -> list[Claim]:
    """The claims about the samples of the witness and of committed weights."""
    layout = instance.layout
    claims = [Claim(sample.answer, (PowersTerm(layout.column_blocks(Matrix.WITNESS), sample.z),))]
    if key.weights is not None:
        point = out_of_domain_point(key.security, key.weights.root)
        claims.append(Claim(key.weights.answer, (PowersTerm(layout.column_blocks(Matrix.WEIGHTS), point),)))
    return claims
