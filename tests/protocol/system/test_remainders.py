"""Quotients and roots are determined, and every condition of the two rules is needed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.system import nonnegative
from deepprove_dist.protocol.system.determinism import undetermined
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Constant,
    Factor,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
)
from deepprove_dist.protocol.system.table import Interval
from tests.attacks.effort import bounded_effort
from tests.records import replace

A, B, Y, R, S = range(5)
EVERY = (0, 1)
SPACE = (BATCH, 3)
RANGES: Mapping[int, Interval] = {A: (-50, 50), B: (1, 9), Y: (-50, 50), R: (0, 31), S: (0, 31)}


def term(coefficient: int, tensor: int, axes: tuple[int, ...] = EVERY) -> Term:
    return Term(coefficient, tensor, axes)


def affine(*terms: Term, constant: int = 0) -> Affine:
    return Affine(SPACE, terms, (Constant(constant),) if constant else ())


def factor(tensor: int) -> Factor:
    return Factor(affine(term(1, tensor)), EVERY)


def summed(left: int, right: int) -> Product:
    """-2 sum_k left[k] right[k], at each index."""
    factors = [Factor(affine(term(1, tensor)), (0, 2)) for tensor in (left, right)]
    return Product(-2, (3,), (), *factors)


DIVISION = Relation(
    "division",
    affine(term(2, A), term(1, B), term(-1, R)),
    (Product(2, (), (), factor(Y), factor(B)),),
    0,
    0,
)
SLACK = affine(term(2, B), term(-1, R), constant=-1)
OF_PRODUCTS = replace(
    DIVISION,
    affine=affine(term(1, B), term(-1, R)),
    products=(*DIVISION.products, summed(A, A)),
)
ROOT = Relation(
    "root",
    affine(term(1, A), term(-1, Y), term(1, R)),
    (Product(1, (), (), factor(Y), factor(Y)),),
    0,
    0,
)
ROOT_SLACK = affine(term(2, Y), term(-1, R), constant=-1)
ROOT_RANGES: Mapping[int, Interval] = {**RANGES, Y: (0, 40)}


def open_(
    relation: Relation,
    slack: Affine | None,
    *others: Relation,
    ranges: Mapping[int, Interval] = RANGES,
    first: int = 0,
    inputs: tuple[int, ...] = (A, B),
    weights: tuple[int, ...] = (),
) -> list[int]:
    """What is left open of a relation, beside a lookup of the slack in a table that begins at `first`."""
    kinds = (Matrix.WEIGHTS if index in weights else Matrix.WITNESS for index in range(6))
    tensors = tuple(Tensor(f"t{index}", SPACE, kind) for index, kind in enumerate(kinds))
    system = System(
        tensors=tensors,
        inputs=tuple(PublicTensor(f"t{k}", k, (3,), *ranges[k], Scale.of(1.0)) for k in inputs),
        outputs=(),
        tables=(LookupTable(first, 40, None, 5),),
        relations=(relation, *others),
        lookups=() if slack is None else (Lookup(0, (slack,)),),
    )
    return [k for k in undetermined(system, ranges) if k != S]


def test_a_quotient_and_its_remainder_are_determined() -> None:
    assert open_(DIVISION, SLACK) == []
    turned = replace(DIVISION.products[0], left=factor(B), right=factor(Y))
    assert open_(replace(DIVISION, products=(turned,)), SLACK) == []
    # The slack is a tensor of its own, which a linear relation defines.
    for sign in (1, -1):
        terms = tuple(replace(t, coefficient=sign * t.coefficient) for t in (*SLACK.terms, term(-1, S)))
        defined = Relation("slack", affine(*terms, constant=-sign), (), 0, 0)
        assert open_(DIVISION, None, defined) == []
        assert open_(DIVISION, None, defined, ranges={**RANGES, S: (-1, 31)}) == [Y, R]


def test_products_of_what_is_known_are_a_part_of_what_is_divided() -> None:
    assert open_(OF_PRODUCTS, SLACK) == []
    assert open_(replace(OF_PRODUCTS, products=OF_PRODUCTS.products[::-1]), SLACK) == []
    # Nothing says what the product of unknown ones is.
    for left, right in ((A, Y), (R, A), (Y, B)):
        unknown = (DIVISION.products[0], summed(left, right))
        assert open_(replace(OF_PRODUCTS, products=unknown), SLACK) == [Y, R]


def test_one_product_contracts_nothing_so_that_time_is_linear() -> None:
    known = Product(-2, (), (), factor(A), factor(A))
    assert open_(replace(OF_PRODUCTS, products=(DIVISION.products[0], known)), SLACK) == [Y, R]
    for length in (500, 2000):
        many = replace(OF_PRODUCTS, products=(*DIVISION.products, *[summed(A, A)] * length))
        with bounded_effort(steps=100 * length):
            assert open_(many, SLACK) == []
        with bounded_effort(steps=100 * length):
            assert open_(replace(DIVISION, products=DIVISION.products * length), SLACK) == [Y, R]


def test_a_root_of_products_is_open() -> None:
    relation = replace(ROOT, products=(*ROOT.products, summed(A, A)))
    assert open_(relation, ROOT_SLACK, ranges=ROOT_RANGES) == [Y, R]


def quotient(**changes: object) -> Relation:
    return replace(DIVISION, products=(replace(DIVISION.products[0], **changes),))


LARGE = MODULUS // 36 + 1
BROKEN: dict[str, tuple[Relation, Affine | None, Mapping[int, Interval], int]] = {
    "no slack": (DIVISION, None, RANGES, 0),
    "a slack that may be negative": (DIVISION, SLACK, RANGES, -1),
    "a slack that is larger": (DIVISION, replace(SLACK, constants=()), RANGES, 0),
    "a slack of another divisor": (DIVISION, affine(term(3, B), term(-1, R), constant=-1), RANGES, 0),
    "a slack of two remainders": (DIVISION, affine(term(2, B), term(-2, R), constant=-1), RANGES, 0),
    "a remainder that may be negative": (DIVISION, SLACK, {**RANGES, R: (-1, 31)}, 0),
    "a remainder that is added": (
        replace(DIVISION, affine=affine(term(2, A), term(1, B), term(1, R))),
        SLACK,
        RANGES,
        0,
    ),
    "a quotient without a range": (DIVISION, SLACK, {k: v for k, v in RANGES.items() if k != Y}, 0),
    "a quotient that wraps": (DIVISION, SLACK, {**RANGES, Y: (-LARGE, LARGE)}, 0),
    "a negative product": (quotient(coefficient=-2), SLACK, RANGES, 0),
    "a product that sums": (
        quotient(contracted=(3,), left=Factor(affine(term(1, Y)), (0, 2))),
        SLACK,
        RANGES,
        0,
    ),
    "a sum of products": (
        replace(DIVISION, products=(*DIVISION.products, DIVISION.products[0])),
        SLACK,
        RANGES,
        0,
    ),
    "a quotient that is a term too": (
        replace(DIVISION, affine=affine(term(2, A), term(1, Y), term(-1, R))),
        SLACK,
        RANGES,
        0,
    ),
}


@pytest.mark.parametrize(("relation", "slack", "ranges", "first"), BROKEN.values(), ids=BROKEN)
def test_a_quotient_without_one_condition_is_open(
    relation: Relation, slack: Affine | None, ranges: Mapping[int, Interval], first: int
) -> None:
    assert open_(relation, slack, ranges=ranges, first=first) == [Y, R]


def test_a_quotient_may_be_as_large_as_nothing_wraps() -> None:
    fits = {**RANGES, Y: (0, (MODULUS - 32) // 18)}
    assert open_(DIVISION, SLACK, ranges=fits) == []
    assert open_(DIVISION, SLACK, ranges={**fits, Y: (0, fits[Y][1] + 1)}) == [Y, R]


def test_a_quotient_by_an_unknown_is_open() -> None:
    assert open_(DIVISION, SLACK, inputs=(A,)) == [B, Y, R]
    floor = replace(DIVISION, affine=affine(term(2, A), term(-1, R)))
    assert open_(floor, SLACK) == []
    assert open_(floor, SLACK, inputs=(A,)) == [B, Y, R]


def test_a_quotient_by_weights_is_open() -> None:
    # Nothing bounds these: a divisor of 60 has two solutions where quotients may be above p / 60.
    defined = Relation("slack", affine(*SLACK.terms, term(-1, S), constant=-1), (), 0, 0)
    assert open_(DIVISION, None, defined) == []
    ranges = {k: v for k, v in RANGES.items() if k != B}
    assert open_(DIVISION, None, defined, ranges=ranges, inputs=(A,), weights=(B,)) == [Y, R]


def test_what_is_compared_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonnegative, "MAX_STEPS", 120)
    defined = Relation("slack", affine(*SLACK.terms, term(-1, S), constant=-1), (), 0, 0)
    other = Relation("other", affine(term(1, B), term(-1, A), constant=1), (), 0, 0)
    assert open_(DIVISION, None, other, defined) == []
    assert open_(DIVISION, None, *[other] * 15, defined) == [Y, R]


def test_a_root_and_its_remainder_are_determined() -> None:
    assert open_(ROOT, ROOT_SLACK, ranges=ROOT_RANGES) == []


LARGEST_ROOT = 46159
"""The largest b with b^2 + b < p."""
BROKEN_ROOTS: dict[str, tuple[Relation, Affine | None, Mapping[int, Interval], int]] = {
    "no slack": (ROOT, None, ROOT_RANGES, 0),
    "a slack that may be negative": (ROOT, ROOT_SLACK, ROOT_RANGES, -1),
    "a slack that is larger": (ROOT, replace(ROOT_SLACK, constants=()), ROOT_RANGES, 0),
    "a remainder that may be negative": (ROOT, ROOT_SLACK, {**ROOT_RANGES, R: (-1, 31)}, 0),
    "a root that may be negative": (ROOT, ROOT_SLACK, {**ROOT_RANGES, Y: (-1, 40)}, 0),
    "a root that wraps": (ROOT, ROOT_SLACK, {**ROOT_RANGES, Y: (0, LARGEST_ROOT + 1)}, 0),
    "a remainder that is subtracted": (
        replace(ROOT, affine=affine(term(1, A), term(-1, Y), term(-1, R))),
        ROOT_SLACK,
        ROOT_RANGES,
        0,
    ),
    "a root that is added": (
        replace(ROOT, affine=affine(term(1, A), term(1, Y), term(1, R))),
        ROOT_SLACK,
        ROOT_RANGES,
        0,
    ),
    "twice the square": (
        replace(ROOT, products=(replace(ROOT.products[0], coefficient=2),)),
        ROOT_SLACK,
        ROOT_RANGES,
        0,
    ),
}


@pytest.mark.parametrize(("relation", "slack", "ranges", "first"), BROKEN_ROOTS.values(), ids=BROKEN_ROOTS)
def test_a_root_without_one_condition_is_open(
    relation: Relation, slack: Affine | None, ranges: Mapping[int, Interval], first: int
) -> None:
    assert open_(relation, slack, ranges=ranges, first=first) == [Y, R]


def test_the_largest_root_is_determined() -> None:
    assert LARGEST_ROOT**2 + LARGEST_ROOT < MODULUS <= (LARGEST_ROOT + 1) ** 2 + LARGEST_ROOT + 1
    assert open_(ROOT, ROOT_SLACK, ranges={**ROOT_RANGES, Y: (0, LARGEST_ROOT)}) == []
