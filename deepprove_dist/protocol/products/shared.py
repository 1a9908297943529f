"""The small sumcheck for all checks of products, as both sides see it.

Let the K rows of all checks stand one after the other. With u drawn after all messages, u_k = u^j d_k for row
k of check j, and sum_k u_k (a_k b_k + a'_k b'_k) = sum_j u^j total_j. It is proven by a sumcheck of degree 3
in l = ceil(log2(K + 1)) variables, whose rounds are padded. Row K has four free values and u_K = 0: they hide
the finals, which are sent in clear. Rows above K are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.kernels import Extension, ExtensionVector
from deepprove_dist.protocol.claims.claim import ONE
from deepprove_dist.protocol.claims.sent import SentValue
from deepprove_dist.protocol.products.check import ProductCheck, ProductRow


@dataclass(frozen=True)
class WeighedRows:
    """All rows one after the other, their weights u_k, and what they add up to."""

    rows: tuple[ProductRow, ...]
    weights: tuple[Extension, ...]
    total: SentValue

    @classmethod
    def of(cls, checks: Sequence[ProductCheck], u: Extension) -> WeighedRows:
        """The rows of all checks, check j weighed by u^j."""
        power, total = ONE, SentValue(Extension(0))
        rows: list[ProductRow] = []
        weights: list[Extension] = []
        for check in checks:
            rows += check.rows
            weights += [power * row.scale for row in check.rows]
            total += check.total.scaled(power)
            power *= u
        return cls(tuple(rows), tuple(weights), total)

    @property
    def variables(self) -> int:
        """l: row K is the one after the last."""
        return len(self.rows).bit_length()

    def padded(self, values: Sequence[Extension]) -> ExtensionVector:
        """Values of the first rows, zero at all others: 2^l elements."""
        zeros = [Extension(0)] * ((1 << self.variables) - len(values))
        return ExtensionVector([*values, *zeros])
