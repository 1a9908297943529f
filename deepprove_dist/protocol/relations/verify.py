"""The verifier's side of contractions: the same claims, from what the prover sent."""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import ExtensionVector, Transcript, sumcheck_verify
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.relations.contraction import (
    BoundRelation,
    claim_affine_sides,
    claim_factors,
    draw_points,
    instance_point,
    product_instances,
)
from deepprove_dist.protocol.system.system import System
from deepprove_dist.timing import timed


@timed("relations", "verifying")
def verify_relations(system: System, proof: RelationsProof, transcript: Transcript) -> list[Claim]:
    """Checks the batched sumcheck; the claims that all relations end in.

    The argument is Thaler's (eprint 2013/351), batched; `prove_relations` is the other side.

    Raises VerificationError for a wrong number of sums, or a sumcheck that does not hold.
    """
    relations = draw_points(system, transcript)
    products = product_instances(relations)
    if len(proof.sums) != len(products):
        raise VerificationError(
            Check.RELATION_SUMS,
            f"{len(proof.sums)} sums for {len(products)} products",
            expected=len(products),
            actual=len(proof.sums),
        )
    transcript.absorb_extension("contraction/sums", proof.sums)
    batching = transcript.challenge("contraction/batching")
    shapes = [(instance.variables, instance.degree) for instance in products]
    with checking("relations"):
        point = sumcheck_verify(proof.sums, shapes, batching, proof.rounds, proof.finals, transcript)
    _check_shared(relations, point, proof.finals)
    return [
        *claim_affine_sides(system, relations, proof.sums),
        *claim_factors(system, products, point, proof.finals),
    ]


def _check_shared(
    relations: Sequence[BoundRelation], point: ExtensionVector, finals: ExtensionVector
) -> None:
    """The third factor of a product with shared axes is eq, which the verifier evaluates itself."""
    end = 0
    for bound in relations:
        for instance in product_instances([bound]):
            end += instance.degree
            if instance.shared:
                u = instance.shared_point()
                if finals[end - 1] != u.eq_at(instance_point(instance, point)[: len(u)]):
                    message = "the factor of shared axes is not eq"
                    raise VerificationError(
                        Check.RELATION_SHARED_AXES, message, subject=bound.relation.name, index=end - 1
                    )
