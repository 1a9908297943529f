"""Columns of a hiding proof: those of the witness that the mask claim weighs stand at S."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.protocol.claims.columns import column_addresses, mask_addresses
from deepprove_dist.protocol.parameters import InitialCode
from tests.protocol.parameters.shapes import hiding_code, initial_code


@st.composite
def codes(draw: st.DrawFn) -> InitialCode:
    """Hiding codes of as few witness columns as there may be, and more."""
    weights = draw(st.integers(5, 70) | st.just(0))
    witness = draw(st.integers(5, 70))
    while witness <= (weights + witness - 1).bit_length():
        witness += 1
    return hiding_code(8, 6, 1, weights, witness, 128 if weights else 0)


@given(code=codes())
def test_each_column_has_an_address_in_the_cube(code: InitialCode) -> None:
    assert sorted(column_addresses(code)) == list(range(code.columns))
    assert code.columns <= 1 << code.column_rounds


@given(code=codes())
def test_the_first_witness_columns_stand_at_zero_and_the_powers_of_two(code: InitialCode) -> None:
    weights, masked = code.weight_columns, mask_addresses(code)
    assert masked == (0, *(2**bit for bit in range(code.column_rounds)))
    addresses = column_addresses(code)
    assert addresses[weights : weights + len(masked)] == masked


@given(code=codes())
def test_the_other_columns_keep_their_order(code: InitialCode) -> None:
    masked = set(mask_addresses(code))
    others = [address for address in column_addresses(code) if address not in masked]
    assert others == sorted(others)


@pytest.mark.parametrize(("weights", "witness"), [(0, 1), (1, 1), (7, 5), (16, 16)])
def test_a_transparent_proof_has_columns_in_the_order_of_matrices(weights: int, witness: int) -> None:
    code = initial_code(6, weights, witness, 1)
    assert mask_addresses(code) == ()
    assert column_addresses(code) == tuple(range(weights + witness))


def test_the_columns_of_an_example() -> None:
    code = hiding_code(8, 4, 1, 6, 7, 128)
    assert mask_addresses(code) == (0, 1, 2, 4, 8)
    assert column_addresses(code) == (3, 5, 6, 7, 9, 10, 0, 1, 2, 4, 8, 11, 12)
