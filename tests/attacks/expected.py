"""Which check refuses a lie: a hiding proof's products are checked by its opening, with all else."""

from __future__ import annotations

from deepprove_dist.checks import Check
from deepprove_dist.prover import Prover

OF_PRODUCTS = {Check.SUMCHECK_CLAIM, Check.FRACTION_SUM, Check.FRACTION_LAYER}
"""What a transparent proof fails at once where a product of two scalars is wrong."""

OTHER_LEAVES = {
    Check.MERKLE_ROOT,
    Check.MERKLE_ROWS,
    Check.MERKLE_MISSING_NODE,
    Check.MERKLE_SURPLUS_NODE,
}
"""What is drawn after a change asks for other leaves than those that were opened."""


def of_prover(key: Prover, transparent: Check) -> Check:
    """What refuses a prover's lie that a proof of a transparent key fails there."""
    return Check.OPENING_CLAIM if key.secret and transparent in OF_PRODUCTS else transparent


def of_challenges(key: Prover) -> set[Check]:
    """What refuses a proof whose challenges are others than its prover's, from the first on."""
    return OTHER_LEAVES if key.secret else {Check.SUMCHECK_CLAIM}
