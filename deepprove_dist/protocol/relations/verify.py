"""The verifier's side of contractions: the same claims, from what the prover sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension, ExtensionVector, Transcript, sumcheck_verify
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.sent import Pads, SentValue, SentVector
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.products.check import ProductCheck, ProductRow
from deepprove_dist.protocol.relations.contraction import (
    ProductInstance,
    claim_affine_sides,
    claim_factors,
    draw_points,
    product_instances,
)
from deepprove_dist.protocol.system.system import System
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class RelationClaims:
    """What all relations end in: claims, and the check that the last round's claim is what products give."""

    claims: list[Claim]
    products: list[ProductCheck]


@timed("relations", "verifying")
def verify_relations(
    system: System, proof: RelationsProof, transcript: Transcript, pads: Pads
) -> RelationClaims:
    """Runs the batched sumcheck; the claims that all relations end in.

    The argument is Thaler's (eprint 2013/351), batched; `prove_relations` is the other side.

    Raises VerificationError for another number of sums, rounds or final evaluations.
    """
    relations = draw_points(system, transcript)
    products = product_instances(relations)
    _require(Check.RELATION_SUMS, len(products), len(proof.sums), "sums of products")
    transcript.absorb_extension("contraction/sums", proof.sums)
    batching = transcript.challenge("contraction/batching")
    sums = pads.received(proof.sums)
    shapes = [(instance.sumcheck.variables, instance.sumcheck.degree) for instance in products]
    with checking("relations"):
        point, claim, slopes = sumcheck_verify(proof.sums, shapes, batching, proof.rounds, transcript)
    rounds = pads.received(proof.rounds)
    last = SentValue(claim, sums.pad_part(slopes[: len(sums)]) + rounds.pad_part(slopes[len(sums) :]))
    _require(Check.SUMCHECK_FINALS, 2 * len(products), len(proof.finals), "final evaluations")
    transcript.absorb_extension("sumcheck/finals", proof.finals)
    finals = pads.received(proof.finals)
    claims = [
        *claim_affine_sides(system, relations, sums),
        *claim_factors(system, products, point, finals),
    ]
    if not products:
        return RelationClaims(claims, [])
    rows = _product_rows(products, batching, point, finals)
    return RelationClaims(claims, [ProductCheck(Check.SUMCHECK_CLAIM, rows, last, subject="relations")])


def _product_rows(
    products: Sequence[ProductInstance], batching: Extension, point: ExtensionVector, finals: SentVector
) -> tuple[ProductRow, ...]:
    """Row i is product i of the batch: its two final evaluations, times eq of shared axes."""
    powers, rows = ExtensionVector.powers(batching, len(products)), []
    for index, instance in enumerate(products):
        scale = powers[index]
        if instance.sumcheck.shared:
            scale *= instance.shared_weight(point)
        rows.append(ProductRow(scale, (finals[2 * index], finals[2 * index + 1])))
    return tuple(rows)


def _require(check: Check, expected: int, actual: int, what: str) -> None:
    if actual != expected:
        raise VerificationError(check, f"{actual} {what}, not {expected}", expected=expected, actual=actual)
