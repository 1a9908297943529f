"""The verifier's side of contractions: the same claims, from what the prover sent."""

from __future__ import annotations

from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import ExtensionVector, Transcript, sumcheck_verify
from deepprove_dist.protocol.claims import ClaimList
from deepprove_dist.protocol.proof import RelationsProof
from deepprove_dist.protocol.relations.contraction import (
    Instance,
    claim_affine_sides,
    claim_factors,
    draw_points,
    instances,
    own_point,
)
from deepprove_dist.protocol.relations.system import System
from deepprove_dist.timing import timed


@timed("relations", "verifying")
def verify_relations(
    system: System, proof: RelationsProof, transcript: Transcript, claims: ClaimList
) -> None:
    """Checks the batched sumcheck and adds the claims that all relations end in.

    Raises VerificationError for a wrong number of sums; the sumcheck raises Rejected.
    """
    bound = draw_points(system, transcript)
    batch = instances(bound)
    if len(proof.sums) != len(batch):
        raise VerificationError("contraction", f"{len(proof.sums)} sums for {len(batch)} products")
    transcript.absorb_extension("contraction/sums", proof.sums)
    claim_affine_sides(system, bound, proof.sums, claims)
    batching = transcript.challenge("contraction/batching")
    shapes = [(instance.variables, instance.degree) for instance in batch]
    point = sumcheck_verify(proof.sums, shapes, batching, proof.rounds, proof.finals, transcript)
    _check_shared(batch, point, proof.finals)
    claim_factors(system, batch, point, proof.finals, claims)


def _check_shared(batch: list[Instance], point: ExtensionVector, finals: ExtensionVector) -> None:
    """The third factor of an instance with shared axes is eq, which the verifier evaluates itself."""
    place = 0
    for instance in batch:
        place += instance.degree
        if instance.shared:
            u = instance.shared_point()
            if finals[place - 1] != u.eq_at(own_point(instance, point)[: len(u)]):
                raise VerificationError("contraction", "the factor of shared axes is not eq")
