"""Places of queries, and how a code's columns are folded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import CodeShape, Extension, Transcript
from deepprove_dist.protocol.opening.codes import (
    add_all,
    column_weights,
    combination,
    draw_positions,
    queries,
    query_points,
    tree_shapes,
)
from deepprove_dist.protocol.parameters import Code
from tests.protocol.naive import challenges, eq, items
from tests.protocol.parameters.shapes import hiding_code, initial_code

INITIAL = initial_code(6, 5, 3, 2, 1, 0, 30)
PUBLIC = initial_code(6, 0, 3, 2, 0, 1, 30)
HIDING = hiding_code(6, 2, 3, weights=6, witness=7, tail=32)
FOLDED = Code(4, 2, 3, 10)


@given(data=st.data(), log_rows=st.integers(1, 6), group=st.integers(0, 3))
def test_every_position_finds_its_leaf(data: st.DataObject, log_rows: int, group: int) -> None:
    shape = CodeShape(log_rows, 3, 2, group)
    positions = data.draw(st.lists(st.integers(0, (4 << log_rows) - 1), min_size=1, max_size=30))
    drawn = queries(positions, shape)
    height = log_rows + 2 - group
    leaves = [int(format(position % (1 << height), f"0{height}b")[::-1], 2) for position in positions]
    assert drawn.positions == positions
    assert drawn.leaves == sorted(set(leaves))
    assert [drawn.leaves[slot] for slot in drawn.slots] == leaves


def test_positions_outside_the_code_have_no_leaf() -> None:
    shape = CodeShape(3, 3, 2, 1)
    assert len(set(shape.leaf_indices(list(range(32))))) == 16
    with pytest.raises(ValueError, match="outside"):
        shape.leaf_indices([0, 32])


def test_positions_are_drawn_with_replacement_over_the_whole_code() -> None:
    positions = draw_positions(initial_code(1, 1, 1, 1, 0, 0, 400), Transcript(b"test"))
    assert len(positions) == 400
    assert set(positions) == {0, 1, 2, 3}


def test_points_are_powers_of_a_generator_of_the_codes_order() -> None:
    length = 1 << FOLDED.log_length
    points = [int(point) for point in query_points(FOLDED, list(range(length))).to_array()]
    generator = points[1]
    assert points == [pow(generator, index, MODULUS) for index in range(length)]
    assert pow(generator, length // 2, MODULUS) == MODULUS - 1


def test_trees_are_weights_then_witness() -> None:
    assert tree_shapes(INITIAL) == (CodeShape(6, 5, 2, 1), CodeShape(6, 3, 2, 0))
    assert tree_shapes(PUBLIC) == (CodeShape(6, 3, 2, 1),)
    assert tree_shapes(FOLDED) == (CodeShape(4, 20, 3, 0),)


def test_columns_are_weighed_by_eq_of_their_address_in_both_matrices() -> None:
    point = challenges(0, 3)
    weights = [eq(point)[address] for address in (0, 4, 2, 6, 1, 5, 3, 7)]
    assert [items(part) for part in column_weights(INITIAL, point)] == [weights[:5], weights[5:]]
    weights = [eq(point[:2])[address] for address in (0, 2, 1)]
    assert [items(part) for part in column_weights(PUBLIC, point[:2])] == [weights]
    assert [items(part) for part in column_weights(FOLDED, point[:2])] == [eq(point[:2])]


def test_each_late_claim_has_its_own_power() -> None:
    gamma, powers = combination(Transcript(b"test"), 3)
    assert items(powers) == [gamma**2, gamma**3, gamma**4]


def test_the_trees_folds_add_up() -> None:
    first, second = challenges(1, 2), challenges(2, 2)
    assert items(add_all([first])) == items(first)
    assert items(add_all([first, second])) == [first[0] + second[0], first[1] + second[1]]
    assert first[0] != Extension(0)
