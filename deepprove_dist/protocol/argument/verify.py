"""The verifier's page of the argument; `prove` faces it, step by step."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.kernels import BaseVector, Pool
from deepprove_dist.protocol.argument.shared import absorb_answer, absorb_root, combine_claims
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import evaluate_public_weights
from deepprove_dist.protocol.lookup.verify import verify_lookups
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening.verify import verify_opening_proof
from deepprove_dist.protocol.relations.verify import verify_relations


def verify(
    key: KeyContent, proof: ProofContent, public: PublicValues, weights: Mapping[int, BaseVector]
) -> None:
    """Checks the proof of a statement; `public` has the integers that it encodes, in their ranges.

    `weights` are public weights by tensor, none where weights are committed. Raises VerificationError
    for a proof that does not hold.
    """
    instance, pool = key.instance(proof.statement.batch), Pool(1)
    system = instance.system
    transcript = start_transcript(key.security, proof.statement)
    z = absorb_root(transcript, proof.witness.root)
    sample = absorb_answer(transcript, z, proof.witness.answer)
    claims = bind_public(system, public, transcript, pool)
    claims += verify_relations(system, proof.relations, transcript)
    claims += verify_lookups(system, instance.leaves, proof.fractions, transcript)
    roots = [proof.witness.root]
    if key.weights is None:
        claims = evaluate_public_weights(system, claims, weights, pool)
    else:
        roots.insert(0, key.weights.root)
    combined = combine_claims(key, instance, claims, sample, transcript)
    terms = combined.terms(instance.layout.kernel_blocks)
    verify_opening_proof(key.schedule, roots, terms, combined.value, proof.opening, transcript)
