"""The prover's side of the small sumcheck for products of hidden scalars."""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.kernels import ExtensionVector, Pool, Transcript, sumcheck_prove
from deepprove_dist.protocol.claims.claim import ONE
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.messages.proof import ProductsProof
from deepprove_dist.protocol.parameters import FINALS, SMALL_DEGREE
from deepprove_dist.protocol.products.check import ProductCheck
from deepprove_dist.protocol.products.shared import WeighedRows
from deepprove_dist.timing import timed


@timed("products", "proving")
def prove_products(
    checks: Sequence[ProductCheck], values: ExtensionVector, transcript: Transcript, pads: Pads, pool: Pool
) -> ProductsProof:
    """Proves all checks of products; `verify_products` is the other side.

    `values` are all pads of the proof, in the order of sending, then the four free values of row K.
    """
    if not checks:
        return ProductsProof(ExtensionVector([]), ExtensionVector([]))
    rows = WeighedRows.of(checks, transcript.challenge("products/point"))
    columns = [[factor.true_value(values) for factor in row.factors] for row in rows.rows]
    free = len(values) - FINALS
    columns.append([values[free + index] for index in range(FINALS)])
    a, b, other_a, other_b = (rows.padded([column[index] for column in columns]) for index in range(FINALS))
    u = rows.padded(rows.weights)
    round_pads = pads.take(SMALL_DEGREE * rows.variables)
    rounds, finals, _ = sumcheck_prove([[u, a, b], [u, other_a, other_b]], ONE, transcript, pool, round_pads)
    finals = finals.take([1, 2, 4, 5])
    transcript.absorb_extension("products/finals", finals)
    return ProductsProof(rounds, finals)
