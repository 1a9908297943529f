"""Parts of an expression add up only where they meet; no bound is ever too narrow."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.protocol.system import ranges as ranges_module
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.maxima import MAX_STEPS, Maxima
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.system import Affine, Constant, Term
from tests.attacks.effort import bounded_effort
from tests.protocol.naive import affine_values, integers, system_of

SYSTEM = system_of([(4,), (4,)])
RANGES = {0: (5, 9), 1: (-3, 3)}
MOVED = IndexMap((0,), 0, 6, offset=-1)
"""Places 1 to 4 of 6 are those of the tensor."""
BEFORE, AFTER = Constant(7, (IndexMap.covering((0,), 0, 1),)), Constant(7, (IndexMap.covering((0,), 5, 6),))


def padded(*constants: Constant, window: IndexMap = MOVED, more: tuple[Term, ...] = ()) -> Affine:
    return Affine((6,), (Term(1, 0, (window,)), *more), constants)


@pytest.mark.parametrize(
    ("affine", "expected"),
    [
        (padded(), (0, 9)),
        (padded(BEFORE, AFTER), (5, 9)),
        (padded(Constant(12, (IndexMap.covering((0,), 0, 1),)), AFTER), (5, 12)),
        (padded(Constant(7, (IndexMap.covering((0,), 0, 2),))), (0, 16)),
        (padded(BEFORE, Constant(7, (IndexMap.covering((0,), 4, 6),))), (5, 16)),
        (
            padded(
                Constant(12, (IndexMap.covering((0,), 0, 1),)), Constant(12, (IndexMap.covering((0,), 0, 1),))
            ),
            (0, 24),
        ),
        (padded(BEFORE, Constant(100)), (100, 109)),
        (padded(BEFORE, more=(Term(1, 1, (IndexMap((0,), 0, 6, offset=-1),)),)), (0, 12)),
        (padded(BEFORE, more=(Term(1, 1, (IndexMap((0,), 0, 6),)),)), (0, 12)),
        (padded(BEFORE, window=IndexMap((0,), 0, 6, offset=-1, taps=2)), (0, 25)),
        (padded(Constant(12, (IndexMap.covering((0,), 3, 6),)), window=IndexMap((0,), 0, 3)), (5, 12)),
        (padded(window=IndexMap((0,), 0, 6, offset=-9)), (0, 0)),
        (padded(window=IndexMap((0,), 1, 5, offset=-1, scale=(9, 1, 2, 3, 4, 9))), (0, 81)),
    ],
)
def test_parts_add_up_where_they_meet(affine: Affine, expected: tuple[int, int]) -> None:
    assert affine_range(SYSTEM, affine, RANGES) == expected


def test_only_few_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges_module, "MAX_CELLS", 0)
    assert affine_range(SYSTEM, padded(BEFORE, AFTER), RANGES) == (0, 23)


SPACE = (2,) * 8
WAYS = [axes for count in (2, 3, 4, 5) for axes in permutations(range(8), count)]


def test_any_number_of_whole_axes_is_compared_with_nothing() -> None:
    whole = [Constant(1, (IndexMap.covering(axes, 0, 2 ** len(axes)),)) for axes in WAYS[:1000]]
    assert affine_range(SYSTEM, Affine(SPACE, (), tuple(whole)), {}) == (1000, 1000)


def test_parts_on_as_many_axes_take_a_time_that_is_linear_in_them() -> None:
    parts = tuple(Constant(1, (IndexMap.covering(axes, 0, 1),)) for axes in WAYS[:8000])
    with bounded_effort(steps=1 << 20):
        assert affine_range(SYSTEM, Affine(SPACE, (), parts), {}) == (0, 8000)


def test_a_whole_system_compares_only_so_many_parts() -> None:
    maxima = Maxima(lambda _: (0, 0))
    inside = Constant(1, tuple(IndexMap.covering((axis,), 1, 2) for axis in range(5)))
    affine = Affine((3,) * 5, (), (inside, Constant(-1, inside.within)))
    assert affine_range(SYSTEM, affine, {}, maxima) == (0, 0)
    for _ in range(MAX_STEPS // 64):
        if not maxima.afford(64):
            break
    assert affine_range(SYSTEM, affine, {}, maxima) == (-1, 1)


@st.composite
def paddings(draw: st.DrawFn) -> Affine:
    """Windows of one place, and constants on any intervals, over one axis."""
    outputs = draw(st.integers(1, 6))
    ends = st.tuples(st.integers(0, outputs), st.integers(0, outputs)).map(sorted)
    terms, constants = [], []
    for tensor in range(draw(st.integers(0, 2))):
        first, end = draw(ends)
        padding = IndexMap(
            (0,),
            first,
            end,
            offset=draw(st.integers(-3, 3)),
            stride=draw(st.integers(0, 2)),
            taps=draw(st.integers(1, 2)),
        )
        terms.append(Term(draw(st.sampled_from((1, -2))), tensor, (padding,)))
    for _ in range(draw(st.integers(0, 3))):
        first, end = draw(ends)
        constants.append(Constant(draw(st.integers(-20, 20)), (IndexMap.covering((0,), first, end),)))
    return Affine((outputs,), tuple(terms), tuple(constants))


@settings(max_examples=400)
@given(affine=paddings(), seed=st.integers(0, 2**32))
def test_no_bound_is_too_narrow(affine: Affine, seed: int) -> None:
    values = {tensor: integers(seed + tensor, (4,), 9) for tensor in (0, 1)}
    ranges = {tensor: (int(array.min()), int(array.max())) for tensor, array in values.items()}
    low, high = affine_range(SYSTEM, affine, ranges)
    result = affine_values(SYSTEM, affine, values)
    assert low <= result.min()
    assert result.max() <= high
