"""Every part is assigned once, every rank has one, and fast ranks have more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.execution.group.assignment import REGISTER, assign, slices

capacities = st.lists(st.integers(1, 64), min_size=1, max_size=20)


@given(capacities=capacities, most=st.integers(0, 9))
def test_parts_are_assigned_once_and_every_rank_has_one(capacities: list[int], most: int) -> None:
    assignment = assign(capacities, most)
    assert sorted(part for parts in assignment.parts for part in parts) == list(
        range(1 << assignment.log_parts)
    )
    assert assignment.log_parts <= most
    assert len(assignment.parts) == min(len(capacities), 1 << most)
    assert all(parts == tuple(sorted(parts)) and parts for parts in assignment.parts)


@given(capacities=capacities)
def test_nobody_works_much_longer_than_the_others(capacities: list[int]) -> None:
    assignment = assign(capacities, 9)
    counts = [len(parts) for parts in assignment.parts]
    for count, size in zip(counts, capacities, strict=True):
        for other, capacity in zip(counts, capacities, strict=True):
            # A part less here and one more there would not have been done sooner.
            assert count == 1 or count * capacity <= (other + 1) * size


@pytest.mark.parametrize(("ranks", "log_parts"), [(1, 0), (2, 1), (3, 4), (4, 2), (7, 5), (16, 4)])
def test_equal_ranks(ranks: int, log_parts: int) -> None:
    assignment = assign([2] * ranks, 10)
    assert assignment.log_parts == log_parts
    assert max(map(len, assignment.parts)) - min(map(len, assignment.parts)) <= 1


def test_unequal_ranks() -> None:
    assert [len(parts) for parts in assign([1, 3], 10).parts] == [2, 6]
    assert assign([1, 3], 1).parts == ((0,), (1,))
    assert assign([9, 9, 9], 1).parts == ((0,), (1,))


@given(size=st.integers(0, 10_000), capacities=capacities)
def test_slices_cover_an_axis(size: int, capacities: list[int]) -> None:
    cuts = slices(size, capacities)
    assert len(cuts) == len(capacities)
    assert [index for start, end in cuts for index in range(start, end)] == list(range(size))
    long = size >= 8 * REGISTER * len(capacities)
    for (start, end), capacity in zip(cuts, capacities, strict=True):
        assert abs((end - start) - size * capacity / sum(capacities)) <= (REGISTER if long else 1)
        assert start % REGISTER == 0 or not long
