"""Parts' leaves are those of the whole tree: blocks of every size, tables, expressions, padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import ExecutionError
from deepprove_dist.kernels import BaseVector, Pool
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.lookup.leaves import PartLeaves
from deepprove_dist.protocol.lookup.tree import MIN_LEVELS, Challenges, lay_out_leaves
from deepprove_dist.protocol.system.system import Matrix, System
from tests.protocol.lookup import test_expression_rows, test_lookup
from tests.protocol.lookup.leaves import fractions
from tests.protocol.lookup.local_parts import LocalParts, split_values
from tests.protocol.naive import Values, addresses, challenges, items

POOL = Pool(1)
LARGE = test_lookup.example((11, 13), (7, 9), (100,), 77, 5)
"""Blocks of 1 to 128 places, among 2^9 leaves."""


def check_parts(system: System, values: Values, log_parts: int, seed: int) -> None:
    """All parts' leaves against the definition; of more parts than the tree allows, as many as it does."""
    layout = lay_out(system, 7)
    leaves = lay_out_leaves(system, layout)
    log_parts = min(log_parts, leaves.levels - MIN_LEVELS)
    matrix = np.zeros(layout.columns[Matrix.WITNESS] << layout.log_rows, dtype=np.int64)
    for index, array in values.items():
        matrix[addresses(layout, index, system.tensors[index].shape).reshape(-1)] = array.reshape(-1)
    drawn = Challenges(*items(challenges(seed, 2)))
    split = split_values(system, leaves, BaseVector.from_array(matrix), values, log_parts)
    parts = LocalParts.of(system, leaves, layout, split, drawn, POOL)
    expected = [*zip(*fractions(system, leaves, values, drawn), strict=True)]
    for part, layer in enumerate(parts.layer(leaves.levels)):
        actual, half = items(layer), len(layer) // 2
        assert [*zip(actual[:half], actual[half:], strict=True)] == expected[part :: 1 << log_parts]


@pytest.mark.parametrize("log_parts", range(4))
def test_leaves_of_stored_columns_and_tables(log_parts: int) -> None:
    check_parts(LARGE, test_lookup.values_of(LARGE, log_parts), log_parts, 1)


@settings(max_examples=60)
@given(system=test_lookup.systems, log_parts=st.integers(0, 3), seed=st.integers(0, 2**32))
def test_leaves_of_random_stored_columns(system: System, log_parts: int, seed: int) -> None:
    check_parts(system, test_lookup.values_of(system, seed), log_parts, seed)


@settings(max_examples=60)
@given(system=test_expression_rows.systems(), log_parts=st.integers(0, 4), seed=st.integers(0, 2**32))
def test_leaves_of_random_expressions(system: System, log_parts: int, seed: int) -> None:
    check_parts(system, test_expression_rows.values_of(system, seed), log_parts, seed)


def test_more_parts_than_the_tree_allows_are_refused() -> None:
    layout = lay_out(LARGE, 7)
    leaves = lay_out_leaves(LARGE, layout)
    with pytest.raises(ExecutionError, match=r"2\^9 lookups are too few to share among 2\^4 parts"):
        PartLeaves(LARGE, leaves, layout, 4, 0)
