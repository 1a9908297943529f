"""Expressions know when they are a stored tensor, and which axes make which dimension."""

from __future__ import annotations

from itertools import permutations
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.lowering.axes import fine_axes, grouped
from deepprove_dist.lowering.expression import Expression, added, moved, scaled, stored
from deepprove_dist.lowering.following import follow
from deepprove_dist.lowering.views import Dimensions, dimensions
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine, Constant, Factor, Product, Term
from tests.protocol.naive import affine_values, integers, system_of, whole
from tests.records import replace

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
        with_value(constants=(Constant(1, (IndexMap.covering((1,), 0, 1),)),)),
        with_value(terms=()),
        with_value(terms=STORED.value.terms * 2),
        with_value(terms=(Term(2, 4, (0, 1, 2)),)),
        with_value(terms=(Term(1, 4, (0, 2, 1)),)),
        with_value(terms=(Term(1, 4, (0, 1)),)),
        with_value(terms=(Term(1, 4, (0, 1, IndexMap((2,), 0, 3))),)),
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
        ((1,), (1,), ((1,),)),
        ((3, 1, 2), (1, 3, 1, 2), ((), (3,), (1,), (2,))),
        ((3, 2), (1, 3, 1, 2), ((), (3,), (), (2,))),
        ((3, 1, 2), (3, 2), ((3, 1), (2,))),
        ((1, 3), (1, 3), ((1,), (3,))),
        ((1, 1, 3), (1, 3), ((1, 1), (3,))),
        ((1, 1), (3,), None),
    ],
)
def test_dimensions_are_groups_of_axes(axes: Shape, shape: Shape, groups: tuple[Shape, ...] | None) -> None:
    assert grouped(axes, shape) == groups


@given(groups=st.lists(st.lists(st.integers(2, 5), max_size=3), max_size=4))
def test_groups_are_found_again(groups: list[list[int]]) -> None:
    axes = tuple(size for group in groups for size in group)
    shape = tuple(prod(group) for group in groups)
    assert grouped(axes, shape) == tuple(tuple(group) for group in groups)


X, SPACE = 0, (2, 3, 4)
SYSTEM = system_of([SPACE, (3,)])
VALUES = {X: integers(1, SPACE), 1: integers(2, (3,))}
VALUE = Affine(
    SPACE,
    (Term(2, X, (0, 1, 2)), Term(-1, 1, (1,))),
    (Constant(5), Constant(7, (IndexMap.covering((1,), 1, 3),))),
)


def values(affine: Affine) -> IntArray:
    return affine_values(SYSTEM, affine, VALUES)


def test_sums_and_multiples() -> None:
    other = whole(X, SPACE)
    assert np.array_equal(values(added(VALUE, other, VALUE)), 2 * values(VALUE) + values(other))
    assert np.array_equal(values(scaled(VALUE, -3)), -3 * values(VALUE))
    assert added(VALUE) == scaled(VALUE, 1) == VALUE


@pytest.mark.parametrize("places", list(permutations(range(3))))
def test_axes_move(places: tuple[int, ...]) -> None:
    space = tuple(SPACE[places.index(axis)] for axis in range(3))
    result = values(moved(VALUE, space, [(index,) for index in places]))
    assert np.array_equal(result, values(VALUE).transpose(np.argsort(places)))


def test_windows_and_ranges_move_with_their_axes() -> None:
    value = replace(VALUE, terms=VALUE.terms[:1])
    window = follow(value, IndexMap((2,), 0, 3, offset=-1, stride=2))
    assert window is not None
    result = values(moved(window, (3, 1, 2, 3), ((2,), (3,), (0,))))
    assert np.array_equal(result, values(window).transpose(2, 0, 1)[:, None])


@given(data=st.data(), outputs=st.integers(1, 6), fill=st.sampled_from((0, -9)))
def test_windows_of_one_place_slide_over_any_part(data: st.DataObject, outputs: int, fill: int) -> None:
    axis = data.draw(st.sampled_from((0, 1)))
    # Terms follow both axes; a constant is on part of the last.
    value = Affine(
        (2, 3, 4), (Term(1, X, (0, 1, 2)),), (Constant(5), Constant(7, (IndexMap.covering((2,), 1, 3),)))
    )
    stride, offset = data.draw(st.integers(1, 3)), data.draw(st.integers(-4, 4))
    followed = follow(value, IndexMap((axis,), 0, outputs, offset=offset, stride=stride), fill)
    assert followed is not None
    before = np.moveaxis(values(value), axis, 0)
    after = np.moveaxis(values(followed), axis, 0)
    for h in range(outputs):
        position = stride * h + offset
        assert np.array_equal(
            after[h], before[position] if 0 <= position < len(before) else fill + 0 * before[0]
        )


@given(
    outputs=st.integers(1, 4),
    taps=st.integers(1, 3),
    stride=st.integers(1, 3),
    offset=st.integers(-3, 3),
    scale=st.lists(st.integers(-3, 3), min_size=4, max_size=4),
)
def test_sums_over_windows(outputs: int, taps: int, stride: int, offset: int, scale: list[int]) -> None:
    value, factors = whole(X, SPACE), tuple(scale[:outputs])
    along = IndexMap((2,), 0, outputs, offset, stride, taps, 2, factors)
    followed = follow(value, along)
    assert followed is not None
    x, result = values(value), values(followed)
    for h, factor in enumerate(factors):
        places = [stride * h + 2 * tap + offset for tap in range(taps)]
        expected = sum(
            (x[..., position] for position in places if 0 <= position < 4), np.zeros((2, 3), dtype=np.int64)
        )
        assert np.array_equal(result[..., h], factor * expected)


def windowed(taps: int = 1, **changes: Any) -> Affine | None:
    """A window over the last axis of an expression with such terms or constants."""
    return follow(replace(whole(X, SPACE), **changes), IndexMap((2,), 0, 4, taps=taps))


def test_what_no_single_window_expresses() -> None:
    over = IndexMap((2,), 0, 4)
    assert windowed() is not None
    assert windowed(constants=(Constant(1),)) is not None
    assert windowed(2, terms=(Term(1, X, (0, 1, over)),)) is None, "a window over a window"
    assert windowed(2, terms=(Term(1, 1, (1,)),)) is None, "a term that lacks the axis"
    assert windowed(2, constants=(Constant(1, (IndexMap.covering((2,), 0, 1),)),)) is None, (
        "a constant on part of the axis"
    )
    assert windowed(2, constants=(Constant(1),)) is None, "a constant in a sum"


def test_dimensions_have_the_axes_that_make_them() -> None:
    value = stored(X, (1, 6, 4), (2, 3, 4))
    result = dimensions(value, (2,))
    assert result == Dimensions(value.value, ((), (1, 2), (3,)))
    assert dimensions(value, (1,)) is None, "two axes"
    assert dimensions(replace(value, shape=(3, 8)), ()) is None, "an axis that is cut"


def test_a_dimension_of_size_1_gets_an_axis_where_it_needs_one() -> None:
    value = stored(X, (1, 3, 1, 4), (3, 4))
    assert dimensions(value, ()) == Dimensions(value.value, ((), (1,), (), (2,)))
    result = dimensions(value, (1, 2, 3))
    term = Term(1, X, (0, 1, 3))
    assert result == Dimensions(Affine((BATCH, 3, 1, 4), (term,), ()), ((), (1,), (2,), (3,)))
    kept = stored(X, (1, 3, 1, 4), (3, 1, 4))
    assert dimensions(kept, (1, 2, 3)) == Dimensions(kept.value, ((), (1,), (2,), (3,)))
