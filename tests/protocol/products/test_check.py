"""Checks of products of scalars that were sent without pads."""

from __future__ import annotations

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.claims.sent import SentValue
from deepprove_dist.protocol.products.check import ProductCheck, ProductRow, require_products
from tests.records import replace


def row(scale: int, *factors: int) -> ProductRow:
    a, b, *others = (SentValue(Extension(factor)) for factor in factors)
    second = (others[0], others[1]) if others else None
    return ProductRow(Extension(scale), (a, b), second)


CHECK = ProductCheck(
    Check.FRACTION_LAYER,
    (row(1, 2, 3), row(5, 7, 11, 13, 17)),
    SentValue(Extension(2 * 3 + 5 * (7 * 11 + 13 * 17))),
    subject="something",
    round=4,
)


def test_the_second_product_may_be_absent() -> None:
    first, second = CHECK.rows
    assert [factor.value for factor in first.factors] == [Extension(n) for n in (2, 3, 0, 0)]
    assert [factor.value for factor in second.factors] == [Extension(n) for n in (7, 11, 13, 17)]
    assert (first.value, second.value) == (Extension(6), Extension(5 * (77 + 221)))


def test_sums_that_hold_are_accepted() -> None:
    require_products([])
    require_products([CHECK, replace(CHECK, rows=(), total=SentValue(Extension(0))), CHECK])


@pytest.mark.parametrize(
    "wrong",
    [
        replace(CHECK, total=CHECK.total + SentValue(Extension(1))),
        replace(CHECK, rows=CHECK.rows[:1]),
        replace(CHECK, rows=(*CHECK.rows, row(1, 1, 1))),
        *(
            replace(CHECK, rows=(CHECK.rows[0], row(5, *(f + (k == index) for k, f in enumerate(factors)))))
            for factors in ((7, 11, 13, 17),)
            for index in range(4)
        ),
    ],
)
def test_one_that_does_not_hold_is_named(wrong: ProductCheck) -> None:
    with pytest.raises(VerificationError, match=Check.FRACTION_LAYER.requirement) as caught:
        require_products([CHECK, wrong, CHECK])
    assert (caught.value.check, caught.value.subject, caught.value.round) == (
        Check.FRACTION_LAYER,
        "something",
        4,
    )
