"""Checks that are not linear in what was sent: sums of products of two scalars.

There are two kinds of them: the final products of a batched sumcheck, and a layer of the fraction tree. Each
reads

    sum over its rows k of d_k (a_k b_k + a'_k b'_k) = total,

where a, b, a', b' and the total are affine in sent scalars, and d_k is public. A verifier of a transparent
proof computes both sides. In a hiding proof a small sumcheck proves all of them at once (`prove`, `verify`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.claims.sent import SentValue


@dataclass(frozen=True)
class ProductRow:
    """scale * (the product of `first` + the product of `second`); the second may be absent."""

    scale: Extension
    first: tuple[SentValue, SentValue]
    second: tuple[SentValue, SentValue] | None = None

    @cached_property
    def factors(self) -> tuple[SentValue, SentValue, SentValue, SentValue]:
        """a, b, a', b'."""
        absent = SentValue(Extension(0))
        return (*self.first, *(self.second or (absent, absent)))

    @property
    def value(self) -> Extension:
        """What the row adds, by the scalars as they were sent."""
        a, b, other_a, other_b = (factor.value for factor in self.factors)
        return self.scale * (a * b + other_a * other_b)


@dataclass(frozen=True)
class ProductCheck:
    """The rows add up to `total`; else `check` fails, about `subject` or in `round`."""

    check: Check
    rows: tuple[ProductRow, ...]
    total: SentValue
    subject: str | None = None
    round: int | None = None


def require_products(checks: Iterable[ProductCheck]) -> None:
    """Checks sums of products of scalars that were sent without pads. Raises VerificationError."""
    for item in checks:
        difference = item.total.value
        for row in item.rows:
            difference -= row.value
        if difference != Extension(0):
            message = f"it does not hold that {item.check.requirement}"
            raise VerificationError(item.check, message, subject=item.subject, round=item.round)
