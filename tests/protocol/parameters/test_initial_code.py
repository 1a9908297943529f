"""Codes of committed matrices: derived numbers by hand, and codes that would not hide are refused."""

from __future__ import annotations

from math import log2
from typing import Any

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import MatrixCode
from tests.records import replace

from .shapes import changed_matrix, hiding_code, initial_code

INITIAL = initial_code(12, 5, 2, 3, weight_log_group=1, witness_log_group=2, queries=70)
PUBLIC = replace(INITIAL, matrices=INITIAL.matrices[1:])
HIDING = hiding_code(12, 3, 70, weights=9, witness=6, tail=5 << 8)


def test_numbers_of_a_transparent_code() -> None:
    assert (INITIAL.column_rounds, INITIAL.log_length, INITIAL.columns) == (3, 15, 7)
    assert (INITIAL.weight_columns, INITIAL.weight_log_group) == (5, 1)
    assert (INITIAL.witness_columns, INITIAL.witness_log_group) == (2, 2)
    assert (INITIAL.mask_columns, INITIAL.mask_rows, INITIAL.random_rows) == (0, 0, 0)
    assert (INITIAL.dimension, INITIAL.rate_log2, INITIAL.proofs) == (1 << 12, -3.0, None)
    assert INITIAL.trees == ((5, 1), (2, 2))
    assert PUBLIC.trees == ((2, 2),)
    assert (PUBLIC.weight_columns, PUBLIC.weight_log_group) == (0, 0)


@pytest.mark.parametrize(("weights", "rounds"), [(0, 1), (1, 2), (2, 2), (3, 3), (6, 3), (7, 4)])
def test_column_rounds_bind_all_columns(weights: int, rounds: int) -> None:
    assert initial_code(12, weights, 2, 3).column_rounds == rounds
    assert initial_code(12, 0, 1, 3).column_rounds == 0


def test_numbers_of_a_hiding_code() -> None:
    assert (HIDING.columns, HIDING.column_rounds, HIDING.mask_columns) == (15, 4, 5)
    assert (HIDING.mask_rows, HIDING.random_rows) == (56, 70 + 56)
    assert HIDING.dimension == 4096 + 126
    assert HIDING.rate_log2 == pytest.approx(log2(4222 / 32768))
    assert HIDING.trees == ((9, 0), (11, 0))
    # (1280 - 10) / 70 = 18.1, of which eight are set aside for certificates.
    assert HIDING.proofs == 10


def test_groups_cost_random_rows_and_proofs() -> None:
    """A leaf of the witness shows weights as well, through the mask vector. Weights have no random rows."""
    witness, weights = (changed_matrix(HIDING, kind, log_group=1) for kind in ("witness", "weights"))
    assert (witness.random_rows, weights.random_rows) == (140 + 56, 70 + 56)
    assert witness.proofs == weights.proofs == 1
    assert witness.rows_of_proof == weights.rows_of_proof == 140


@pytest.mark.parametrize(
    ("queries", "proofs"), [(15, 2), (16, 1), (17, 0), (50, 0), (150, 0), (151, 0), (1, 142)]
)
def test_proofs_are_counted_by_the_row(queries: int, proofs: int) -> None:
    """Of 160 rows ten are kept; eight certificates and all proofs share the others."""
    assert hiding_code(8, 6, queries, tail=160).proofs == proofs


def test_public_weights_have_no_budget() -> None:
    assert hiding_code(12, 3, 70, weights=0).proofs is None
    assert hiding_code(12, 3, 70, weights=9, tail=0).proofs == 0


@pytest.mark.parametrize(
    "change",
    [
        {"log_rows": 22},
        {"log_rows": 0},
        {"log_rows": True},
        {"log_rows": 12.0},
        {"log_inverse_rate": 0},
        {"queries": 0},
        {"queries": 1 << 40},
        {"hiding": 1},
        {"hiding": None},
        {"matrices": ()},
        {"matrices": INITIAL.matrices[:1]},
        {"matrices": INITIAL.matrices[::-1]},
        {"matrices": INITIAL.matrices[1:] * 2},
        {"matrices": (*INITIAL.matrices[:1] * 2, *INITIAL.matrices[1:])},
        {"matrices": tuple(replace(matrix, columns=1 << 20) for matrix in INITIAL.matrices)},
    ],
)
def test_an_initial_code_out_of_range_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SecurityError):
        replace(INITIAL, **change)


@pytest.mark.parametrize("kind", ["weights", "witness"])
@pytest.mark.parametrize(
    "change",
    [
        {"columns": -1},
        {"columns": 0},
        {"columns": 1 << 21},
        {"columns": 2.0},
        {"log_group": 16},
        {"log_group": -1},
        {"matrix": "input"},
        {"matrix": ["weights"]},
        {"tail": -1},
        {"tail": True},
        {"tail": 256},
    ],
)
def test_a_matrix_out_of_range_is_refused(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(SecurityError):
        changed_matrix(INITIAL, kind, **change)


@pytest.mark.parametrize("tail", [1, 255, 257, 1270, 4096, 1 << 24])
def test_a_tail_is_a_number_of_sixteenths(tail: int) -> None:
    with pytest.raises(SecurityError, match="tail of weights"):
        changed_matrix(HIDING, "weights", tail=tail)
    assert changed_matrix(HIDING, "weights", tail=15 << 8).proofs == 46


def test_a_code_of_less_than_sixteen_rows_has_no_tail() -> None:
    with pytest.raises(SecurityError, match="tail of weights"):
        hiding_code(3, 7, 3, tail=4)
    assert hiding_code(5, 7, 1, tail=30).proofs == 12


def test_the_witness_has_no_tail() -> None:
    with pytest.raises(SecurityError, match="tail of witness"):
        changed_matrix(HIDING, "witness", tail=256)


def test_hidden_matrices_have_five_columns_for_an_unopened_leaf() -> None:
    for kind in ("weights", "witness"):
        with pytest.raises(SecurityError, match=f"columns of hidden {kind}"):
            changed_matrix(HIDING, kind, columns=4)
    assert hiding_code(12, 3, 70, weights=5, witness=5).columns == 10


def test_a_witness_has_a_column_for_each_round_and_one_more() -> None:
    """Sixteen columns have four rounds, and seventeen have five."""
    assert hiding_code(12, 3, 70, weights=11, witness=5).column_rounds == 4
    with pytest.raises(SecurityError, match="more columns than the 5 column rounds"):
        hiding_code(12, 3, 70, weights=12, witness=5)


def test_a_hiding_code_has_room_for_its_random_rows() -> None:
    """2^9 rows of 2^10: 512 are free, of which 56 are for the mask claim, and one cannot be used."""
    assert hiding_code(9, 1, 512 - 56 - 1).dimension == 1023
    with pytest.raises(SecurityError, match="do not fit"):
        hiding_code(9, 1, 512 - 56)


def test_matrices_are_named_by_their_kind() -> None:
    assert MatrixCode("witness", 3, 1) == MatrixCode(matrix="witness", columns=3, log_group=1, tail=0)
