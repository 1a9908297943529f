"""The verifier's side of the lookup argument."""

from __future__ import annotations

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import ExtensionVector, Transcript, fraction_verify
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.lookup.tree import Challenges, LeafLayout, LeafValues, claim_leaves
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.system.system import System
from deepprove_dist.timing import timed


@timed("lookups", "verifying")
def verify_lookups(
    system: System, leaves: LeafLayout, values: ExtensionVector, transcript: Transcript
) -> list[Claim]:
    """Checks the fraction tree; the two claims about its leaves, none where there is no lookup.

    The argument is logup-GKR (eprint 2023/1284); `prove_lookups` is the other side.

    `values` is all that the tree's prover sent. Raises VerificationError for values where there is no lookup,
    or a fraction tree that does not hold.
    """
    if not leaves.rows:
        if len(values) != 0:
            message = "the model has no lookups, the proof a fraction tree"
            raise VerificationError(Check.FRACTION_ABSENT, message, expected=0, actual=len(values))
        return []
    challenges = Challenges.draw(transcript)
    with checking():
        reached = LeafValues(*fraction_verify(leaves.levels, values, transcript))
    return claim_leaves(system, leaves, challenges, reached)
