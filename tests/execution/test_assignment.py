"""Every part is dealt once, to everybody something, and to the fast more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.execution.assignment import REGISTER, deal, slices

capacities = st.lists(st.integers(1, 64), min_size=1, max_size=20)


@given(capacities=capacities, most=st.integers(0, 9))
def test_parts_are_dealt_once_and_everybody_has_one(capacities: list[int], most: int) -> None:
    dealt = deal(capacities, most)
    assert sorted(part for own in dealt.parts for part in own) == list(range(1 << dealt.log_parts))
    assert dealt.log_parts <= most
    assert len(dealt.parts) == min(len(capacities), 1 << most)
    assert all(own == tuple(sorted(own)) and own for own in dealt.parts)


@given(capacities=capacities)
def test_nobody_works_much_longer_than_the_others(capacities: list[int]) -> None:
    dealt = deal(capacities, 9)
    counts = [len(own) for own in dealt.parts]
    for count, size in zip(counts, capacities, strict=True):
        for other, capacity in zip(counts, capacities, strict=True):
            # A part less here and one more there would not have been done sooner.
            assert count == 1 or count * capacity <= (other + 1) * size


@pytest.mark.parametrize(("ranks", "log_parts"), [(1, 0), (2, 1), (3, 4), (4, 2), (7, 5), (16, 4)])
def test_equal_seats(ranks: int, log_parts: int) -> None:
    dealt = deal([2] * ranks, 10)
    assert dealt.log_parts == log_parts
    assert max(map(len, dealt.parts)) - min(map(len, dealt.parts)) <= 1


def test_unequal_seats() -> None:
    assert [len(own) for own in deal([1, 3], 10).parts] == [2, 6]
    assert deal([1, 3], 1).parts == ((0,), (1,))
    assert deal([9, 9, 9], 1).parts == ((0,), (1,))


@given(size=st.integers(0, 10_000), capacities=capacities)
def test_slices_cover_an_axis(size: int, capacities: list[int]) -> None:
    cuts = slices(size, capacities)
    assert len(cuts) == len(capacities)
    assert [place for start, end in cuts for place in range(start, end)] == list(range(size))
    long = size >= 8 * REGISTER * len(capacities)
    for (start, end), capacity in zip(cuts, capacities, strict=True):
        assert abs((end - start) - size * capacity / sum(capacities)) <= (REGISTER if long else 1)
        assert start % REGISTER == 0 or not long
