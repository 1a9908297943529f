"""Codes that hold a model's values: no columns and no tail more than are needed."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.parameters.sizes import MAX_SEARCH_COLUMNS, Sizes

from .shapes import changed_matrix


@given(
    weights=st.integers(0, 1 << 20),
    witness=st.integers(0, 1 << 20),
    log_rows=st.integers(7, 16),
    rate=st.integers(1, 6),
    queries=st.integers(1, 400),
    groups=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    proofs=st.integers(1, 100),
)
def test_a_hiding_code_holds_values_and_proofs_and_no_more(
    weights: int, witness: int, log_rows: int, rate: int, queries: int, groups: tuple[int, int], proofs: int
) -> None:
    code = Sizes(weights, witness, hiding=True, proofs=proofs).code(log_rows, rate, queries, groups)
    if code is None:
        return
    rows, step = 1 << log_rows, 1 << log_rows - 4
    assert code.hiding
    assert code.queries == queries
    assert (code.weight_log_group, code.witness_log_group) == (groups[0] if weights else 0, groups[1])
    assert code.witness_columns << log_rows >= witness
    fewer = code.witness_columns - 1
    rounds = (code.weight_columns + fewer - 1).bit_length()
    assert fewer << log_rows < witness or fewer < 5 or fewer <= rounds
    if weights == 0:
        assert code.proofs is None
        return
    tail = code.matrices[0].tail
    assert code.weight_columns * (rows - tail) >= weights
    assert code.weight_columns == 5 or (code.weight_columns - 1) * (rows - tail) < weights
    assert code.proofs is not None
    assert code.proofs >= proofs
    shorter = changed_matrix(code, "weights", tail=tail - step)
    assert shorter.proofs is not None
    assert shorter.proofs < proofs


@given(
    values=st.tuples(st.integers(0, 1 << 16), st.integers(1, 1 << 16)),
    log_rows=st.integers(7, 16),
    queries=st.integers(1, 400),
)
def test_a_transparent_code_has_no_more_columns_than_values(
    values: tuple[int, int], log_rows: int, queries: int
) -> None:
    code = Sizes(*values).code(log_rows, 2, queries)
    weights, witness = (-(-count // (1 << log_rows)) for count in values)
    if code is None:
        assert weights + witness > MAX_SEARCH_COLUMNS
        return
    assert (code.weight_columns, code.witness_columns) == (weights, witness)
    assert not code.hiding
    assert all(matrix.tail == 0 for matrix in code.matrices)


def test_what_does_not_fit_has_no_code() -> None:
    sizes = Sizes(26_000, 6_000, hiding=True, proofs=16)
    # 18 * 34 rows and ten more are longer than a column.
    assert sizes.code(9, 6, 34) is None
    assert sizes.code(10, 6, 34) is not None
    # Groups double what a proof shows, in one tree or in the other.
    assert sizes.code(10, 6, 34, (0, 1)) is None
    assert sizes.code(10, 6, 34, (1, 0)) is None
    # Random rows fill the code.
    assert Sizes(0, 6_000, hiding=True).code(7, 1, 100) is None
    assert Sizes(MAX_SEARCH_COLUMNS << 7, 1).code(7, 1, 100) is None
    assert Sizes((MAX_SEARCH_COLUMNS - 1) << 7, 1).code(7, 1, 100) is not None


@pytest.mark.parametrize("weights", get_args(Weights))
def test_other_queries_bring_another_tail(weights: Weights) -> None:
    sizes = Sizes(26_000 if weights == "committed" else 0, 6_000, hiding=True, proofs=16)
    code = sizes.code(12, 4, 34, (0, 1))
    assert code is not None
    more = sizes.with_queries(code, 68)
    assert more == sizes.code(12, 4, 68, (0, 1))
    assert more is not None
    assert more.random_rows > code.random_rows
    assert sizes.with_queries(code, 34) == code
    if weights == "committed":
        assert more.matrices[0].tail > code.matrices[0].tail
        assert sizes.with_queries(code, 400) is None


def test_an_impossible_size_is_no_code_and_no_error() -> None:
    assert Sizes(1 << 31, 1 << 20).code(7, 1, 1) is None
    assert Sizes(0, 1).code(0, 1, 1) is None
