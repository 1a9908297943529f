"""The verifier's side of the small sumcheck for products of hidden scalars: five claims about pads."""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension, ExtensionVector, Transcript, sumcheck_verify
from deepprove_dist.protocol.claims.claim import NO_TERMS, ONE, Claim
from deepprove_dist.protocol.claims.sent import PadPart, Pads, SentValue
from deepprove_dist.protocol.messages.proof import ProductsProof
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.parameters import FINALS, SMALL_DEGREE
from deepprove_dist.protocol.products.check import ProductCheck
from deepprove_dist.protocol.products.shared import WeighedRows
from deepprove_dist.timing import timed


@timed("products", "verifying")
def verify_products(
    checks: Sequence[ProductCheck], proof: ProductsProof, transcript: Transcript, pads: Pads
) -> list[Claim]:
    """Runs the small sumcheck: four claims about its finals, and one about its last claim.

    All five are about pads alone. Raises VerificationError for another number of rounds or finals.
    """
    finals = FINALS if checks else 0
    if len(proof.finals) != finals or (not checks and len(proof.rounds) != 0):
        message = f"the sumcheck of products has {len(proof.finals)} finals, not {finals}"
        raise VerificationError(Check.PRODUCTS_FINALS, message, expected=finals, actual=len(proof.finals))
    if not checks:
        return []
    rows = WeighedRows.of(checks, transcript.challenge("products/point"))
    # The two products of a row are two instances of one batch, whose claims add up to the total.
    shapes, sums = [(rows.variables, SMALL_DEGREE)] * 2, ExtensionVector([rows.total.value, Extension(0)])
    with checking("products"):
        point, value, slopes = sumcheck_verify(sums, shapes, ONE, proof.rounds, transcript)
    rounds = pads.received(proof.rounds)
    transcript.absorb_extension("products/finals", proof.finals)
    last = SentValue(value, rows.total.pads.scaled(slopes[0]) + rounds.pad_part(slopes[2:]))
    eq = ExtensionVector.eq(point)
    a, b, other_a, other_b = (proof.finals[index] for index in range(FINALS))
    products = rows.padded(rows.weights).dot(eq) * (a * b + other_a * other_b)
    return [
        *(_claim_final(rows, eq, index, proof.finals[index], pads) for index in range(FINALS)),
        Claim.about(last - SentValue(products), NO_TERMS),
    ]


def _claim_final(rows: WeighedRows, eq: ExtensionVector, index: int, final: Extension, pads: Pads) -> Claim:
    """`final` is the extension of one factor at the point: that of rows, and the free value of row K."""
    value, runs = Extension(0), list[tuple[int, ExtensionVector]]()
    for number, row in enumerate(rows.rows):
        factor, weight = row.factors[index], eq[number]
        value += factor.value * weight
        runs += factor.pads.scaled(weight).runs
    runs.append((pads.count + index, ExtensionVector([-eq[len(rows.rows)]])))
    return Claim(value - final, NO_TERMS, PadPart(tuple(runs)))
