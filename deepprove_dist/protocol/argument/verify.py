"""The verifier's page of the argument; `prove` faces it, step by step."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, Pool
from deepprove_dist.protocol.argument.shared import (
    absorb_answer,
    absorb_mask,
    absorb_root,
    combine_claims,
    hidden_samples,
    reduce_claims,
    weights_sample,
)
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment, evaluate_public_weights
from deepprove_dist.protocol.lookup.verify import require_denominator
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening.mask import MaskedOpening, draw_mask
from deepprove_dist.protocol.opening.verify import OpeningMask, verify_opening_proof
from deepprove_dist.protocol.products.check import require_products
from deepprove_dist.protocol.products.verify import verify_products
from deepprove_dist.protocol.system.system import Matrix


def verify(
    key: KeyContent,
    proof: ProofContent,
    public: PublicValues,
    weights: Mapping[int, BaseVector],
    commitment: WeightCommitment | None,
) -> None:
    """Checks the proof of a statement; `public` has what it encodes, integers in their ranges.

    `weights` are public weights by tensor, none where weights are committed. `commitment` is that of the
    proof's epoch, which the caller has accepted; None where weights are public.

    Raises VerificationError for a proof that does not hold.
    """
    instance, pool = key.instance(proof.statement.batch).stating(public), Pool(1)
    system, code, pads = instance.system, key.schedule.initial, Pads(instance.pads)
    _check_mode(code.hiding, proof)
    transcript = start_transcript(key.security, proof.statement)
    z = absorb_root(transcript, proof.witness.root)
    sample = absorb_answer(transcript, z, proof.witness.answer)
    omega = draw_mask(code, transcript)
    claims = bind_public(system, public, transcript, pool)
    reduced = reduce_claims(instance, proof.relations, proof.fractions, transcript, pads)
    claims += reduced.claims
    if proof.mask is None:
        require_denominator(proof.fractions)
        require_products(reduced.products)
    else:
        claims += verify_products(reduced.products, proof.products, transcript, pads)
    roots = [*(hidden.root for hidden in public.commitments), proof.witness.root]
    samples = [sample, *hidden_samples(instance.layout, public.commitments)]
    if commitment is None:
        claims = evaluate_public_weights(system, claims, weights, pool)
    else:
        roots.insert(0, commitment.root)
        samples.append(weights_sample(key, Matrix.WEIGHTS, commitment))
    if proof.mask is not None:
        claims.insert(0, absorb_mask(transcript, proof.mask.value))
    batched = combine_claims(code, instance.layout, claims, samples, omega, transcript).with_pads(instance)
    mask = None
    if proof.mask is not None and batched.random_rows is not None:
        mask = OpeningMask(batched.random_rows, MaskedOpening(proof.mask.product, proof.mask.tail))
    terms, value = batched.combined.terms(instance.layout.cube_blocks), batched.combined.value
    verify_opening_proof(key.schedule, roots, terms, value, proof.opening, mask, transcript)


def _check_mode(hiding: bool, proof: ProofContent) -> None:
    """A hiding key has hiding proofs alone, a transparent one transparent ones."""
    products = len(proof.products.rounds) + len(proof.products.finals)
    if hiding != (proof.mask is not None) or (not hiding and products > 0):
        modes = {True: "hiding", False: "transparent"}
        message = f"the key is for {modes[hiding]} proofs, and this one is {modes[not hiding]}"
        raise VerificationError(Check.HIDING, message)
