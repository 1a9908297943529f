"""Expressions know when they are a stored tensor, and which axes make which dimension."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.lowering.expression import Expression, fine_axes, grouped, stored
from deepprove_dist.protocol.relations.system import (
    BATCH,
    Constant,
    Factor,
    Product,
    Shape,
    Term,
    Window,
)
from tests.protocol.naive import whole

STORED = stored(4, (1, 6), (2, 3))
PRODUCT = Product(1, (), (), Factor(whole(0, (2,)), (1,)), Factor(whole(1, (BATCH, 3)), (0, 2)))


def with_value(**changes: Any) -> Expression:
    return replace(STORED, value=replace(STORED.value, **changes))


def test_a_stored_tensor_is_one() -> None:
    assert STORED.space == (BATCH, 2, 3)
    assert STORED.stored == 4
    assert replace(STORED, shape=(6,)).stored == 4


@pytest.mark.parametrize(
    "other",
    [
        with_value(constants=(Constant(1),)),
        with_value(constants=(Constant(1, ((1, 0, 1),)),)),
        with_value(terms=()),
        with_value(terms=STORED.value.terms * 2),
        with_value(terms=(Term(2, 4, (0, 1, 2)),)),
        with_value(terms=(Term(1, 4, (0, 2, 1)),)),
        with_value(terms=(Term(1, 4, (0, 1)),)),
        with_value(terms=(Term(1, 4, (0, 1, Window(2, 1, 1, 1, 0, 0, 3))),)),
        replace(STORED, products=(PRODUCT,)),
    ],
)
def test_anything_else_is_not_stored(other: Expression) -> None:
    assert other.stored is None


def test_a_leading_axis_of_one_place_is_left_out() -> None:
    assert fine_axes((1, 3, 1, 2)) == (3, 1, 2)
    assert fine_axes((1, 1)) == (1,)
    assert fine_axes((1,)) == fine_axes(()) == ()


@pytest.mark.parametrize(
    ("axes", "shape", "groups"),
    [
        ((), (), ()),
        ((), (1, 1), ((), ())),
        ((2, 3), (6,), ((2, 3),)),
        ((2, 3), (1, 2, 3), ((), (2,), (3,))),
        ((16, 5, 5), (1, 400), ((), (16, 5, 5))),
        ((2, 3, 4), (6, 4), ((2, 3), (4,))),
        ((2, 3, 4), (2, 12), ((2,), (3, 4))),
        ((6,), (2, 3), None),
        ((2, 3), (3, 2), None),
        ((4, 6), (8, 3), None),
        ((2, 3), (2,), None),
        ((2,), (2, 3), None),
    ],
)
def test_dimensions_are_groups_of_axes(axes: Shape, shape: Shape, groups: tuple[Shape, ...] | None) -> None:
    assert grouped(axes, shape) == groups


@given(groups=st.lists(st.lists(st.integers(2, 5), max_size=3), max_size=4))
def test_groups_are_found_again(groups: list[list[int]]) -> None:
    axes = tuple(size for group in groups for size in group)
    shape = tuple(prod(group) for group in groups)
    assert grouped(axes, shape) == tuple(tuple(group) for group in groups)
