"""Tables are exact functions with one canonical form."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.kernels import LinearPieces
from deepprove_dist.protocol.system.table import Table
from tests.attacks.plain_pieces import packed, pieces_of, values_of

small = st.integers(-3, 3)
values = st.lists(small, min_size=1, max_size=40) | st.lists(
    st.integers(-(2**20), 2**20), min_size=1, max_size=40
)


@given(first=st.integers(-(2**20), 2**20), values=values)
def test_table_is_the_function_it_was_made_from(first: int, values: list[int]) -> None:
    table = Table.from_values(first, values)
    assert table.values().tolist() == values
    assert table.interval() == (min(values), max(values))
    arguments = np.arange(first, first + len(values)).reshape(1, -1)
    assert table.apply(arguments).tolist() == [values]


@given(values=values)
def test_pieces_are_the_longest_ones(values: list[int]) -> None:
    pieces, data = Table.from_values(0, values).pieces, packed(*pieces_of(values))
    assert bytes(pieces) == data
    assert len(pieces) == len(list(pieces_of(values)))
    assert LinearPieces.from_bytes(data) == pieces
    assert values_of(data) == values


@given(values=values, other=values)
def test_equal_functions_are_equal_tables(values: list[int], other: list[int]) -> None:
    table, same, changed = (Table.from_values(3, v) for v in (values, list(values), other))
    assert table == same
    assert hash(table) == hash(same)
    assert (table == changed) == (values == other)
    assert table != Table.from_values(4, values)


def test_clamped_relu_has_three_pieces() -> None:
    table = Table.from_values(-500, np.clip(np.arange(-500, 500), 0, 255))
    assert table.pieces.rows() == [(0, 0, 0), (501, 1, 1), (756, 255, 0)]


@pytest.mark.parametrize("argument", [-5, 4, 2**62, -(2**62)])
def test_arguments_outside_the_domain_are_refused(argument: int) -> None:
    with pytest.raises(ModelError):
        Table.from_values(-4, range(8)).apply(np.array([argument]))


@pytest.mark.parametrize("first", [-LARGEST_SIGNED - 1, LARGEST_SIGNED])
def test_arguments_beyond_the_field_are_refused(first: int) -> None:
    with pytest.raises(ModelError, match="arguments"):
        Table(first, LinearPieces.identity(0, 2))


@pytest.mark.parametrize("values", [[LARGEST_SIGNED + 1], [0, -LARGEST_SIGNED - 1], [2**62, -(2**62)]])
def test_values_beyond_the_field_are_refused(values: list[int]) -> None:
    with pytest.raises(ModelError, match="within the field"):
        Table.from_values(0, values)
    ends = (-LARGEST_SIGNED, LARGEST_SIGNED)
    assert Table.from_values(0, ends).interval() == ends


@pytest.mark.parametrize("values", [[[1, 2]], np.zeros(2**24 + 1, dtype=np.int8)])
def test_what_is_no_list_of_values_is_refused(values: Any) -> None:
    with pytest.raises(ModelError, match="1 to"):
        Table.from_values(0, values)


def test_empty_values_are_refused() -> None:
    with pytest.raises(ModelError):
        Table.from_values(0, [])
