"""How many products of hidden values a proof checks, and how many scalars it sends, by its numbers.

Constraints on products have an order. The first is about all final products of the relations' sumcheck. Then
come the root of the fraction tree and its layers 1, 2, .... Rows are products, root, layers. A transparent
proof's constraints are checked one by one. A hiding proof has a small sumcheck over their rows and one more,
and one pad for each scalar. See docs/zero-knowledge.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

EXTENSION_DEGREE = 5

SMALL_DEGREE = 3
"""The degree of the small sumcheck: a weight times a product."""

FINALS = 4
"""Values of A, B, A' and B' that end the small sumcheck; also the pads of the row that hides them."""


@dataclass(frozen=True)
class ProductChecks:
    """P products of relations, R coefficients of their sumcheck's rounds, L levels of the fraction tree.

    All are 0 where there are none.
    """

    products: int
    coefficients: int
    levels: int

    @property
    def constraints(self) -> int:
        """Constraints: one for all relations, one for the root, one for each other layer."""
        return (self.products > 0) + self.levels

    @property
    def rows(self) -> int:
        """Rows of all constraints: K."""
        return self.products + self.levels

    @property
    def variables(self) -> int:
        """Variables of the small sumcheck, over K + 1 rows: l = ceil(log2(K + 1)), or 0 where K = 0."""
        return self.rows.bit_length()

    @property
    def tree_scalars(self) -> int:
        """Scalars of the fraction tree: layer l = 0, 1, ... sends 2 l coefficients and 4 children."""
        return self.levels * (self.levels + 3)

    @property
    def sent(self) -> int:
        """Scalars before u: sums, coefficients, two finals a product, and the tree."""
        return self.products + self.coefficients + 2 * self.products + self.tree_scalars

    @property
    def small_scalars(self) -> int:
        """Coefficients of the small sumcheck's rounds."""
        return SMALL_DEGREE * self.variables

    @property
    def padded(self) -> int:
        """Scalars that a hiding proof sends padded: T."""
        return self.sent + self.small_scalars

    @property
    def pad_rows(self) -> int:
        """Rows of the tensor of pads, one element of E each: T, and four for row K; none where K = 0."""
        return self.padded + FINALS if self.rows else 0

    @property
    def pad_values(self) -> int:
        """Base values of the tensor of pads."""
        return EXTENSION_DEGREE * self.pad_rows


def round_coefficients(instances: Collection[tuple[int, int]]) -> int:
    """What all rounds of a batched sumcheck send, from (variables, degree) of its instances: R.

    An instance of n variables joins before the last n rounds. A round sends as many coefficients as the
    largest degree of those that have joined, and two at least.
    """
    rounds = max((variables for variables, _ in instances), default=0)
    return sum(
        max(2, *(degree for variables, degree in instances if variables >= remaining))
        for remaining in range(1, rounds + 1)
    )
