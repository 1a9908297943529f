"""Tables are exact functions with one canonical form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.protocol.system.table import Piece, Table

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
def test_pieces_are_greedy(values: list[int]) -> None:
    pieces = Table.from_values(0, values).pieces
    expected, start = [], 0
    while start < len(values):
        slope = values[start + 1] - values[start] if start + 1 < len(values) else 0
        expected.append(Piece(start, values[start], slope))
        end = start + 1
        while end < len(values) and values[end] == values[start] + slope * (end - start):
            end += 1
        start = end
    assert list(pieces) == expected


def test_clamped_relu_has_three_pieces() -> None:
    table = Table.from_values(-500, np.clip(np.arange(-500, 500), 0, 255))
    assert table.pieces == (Piece(0, 0, 0), Piece(501, 1, 1), Piece(756, 255, 0))


@pytest.mark.parametrize("argument", [-5, 4, 2**62, -(2**62)])
def test_arguments_outside_the_domain_are_refused(argument: int) -> None:
    with pytest.raises(ModelError):
        Table.from_values(-4, range(8)).apply(np.array([argument]))


@pytest.mark.parametrize(
    ("first", "size", "pieces"),
    [
        (0, 0, ()),
        (0, 2, ()),
        (0, 2**25, (Piece(0, 0, 0),)),
        (0, 4, (Piece(1, 0, 0),)),
        (0, 4, (Piece(0, 0, 0), Piece(4, 1, 0))),
        (0, 4, (Piece(0, 0, 1), Piece(0, 1, 0))),
        (0, 4, (Piece(0, 0, 1), Piece(2, 2, 1))),  # one line in two pieces
        (0, 4, (Piece(0, 0, 1), Piece(1, 5, 1))),  # a piece of one value, not the last
        (0, 4, (Piece(0, 0, 1), Piece(2, 2, 3))),  # the first piece reaches one further
        (0, 1, (Piece(0, 5, 1),)),
        (0, 2, (Piece(0, LARGEST_SIGNED, 1),)),
        (LARGEST_SIGNED, 2, (Piece(0, 0, 0),)),
        (0, 2**24, (Piece(0, 0, 2**62),)),
    ],
)
def test_ill_formed_tables_are_refused(first: int, size: int, pieces: tuple[Piece, ...]) -> None:
    with pytest.raises(ModelError):
        Table(first, size, pieces)


def test_empty_values_are_refused() -> None:
    with pytest.raises(ModelError):
        Table.from_values(0, [])
