"""Checks that are not linear in what was sent: sums of products of two scalars.

There are two kinds of them: the final products of a batched sumcheck, and a layer of the fraction tree. Each
reads

    sum over its rows k of d_k (a_k b_k + a'_k b'_k) = total,

where a, b, a', b' and the total are affine in sent scalars, and d_k is public. A verifier of a transparent
proof computes both sides. In a hiding proof a small sumcheck proves all of them at once (`prove`, `verify`).
"""

from __future__ import annotations

from collections.abc import Iterable

from deepprove_dist.canonical import FrozenStruct
from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.claims.sent import SentValue


class ProductRow(FrozenStruct, frozen=True):
    """scale * (the product of `first` + the product of `second`); the second may be absent."""

    scale: Extension
    first: tuple[SentValue, SentValue]
    second: tuple[SentValue, SentValue] | None = None

    @property
    def factors(self) -> tuple[SentValue, SentValue, SentValue, SentValue]:
        """a, b, a', b'."""
        absent = SentValue(Extension(0))
        return (*self.first, *(self.second or (absent, absent)))

    @property
    def value(self) -> Extension:
        """What the row adds, by the scalars as they were sent."""
        a, b = self.first
        products = a.value * b.value
        if self.second is not None:
            a, b = self.second
            products += a.value * b.value
        return self.scale * products


class ProductCheck(FrozenStruct, frozen=True):
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
