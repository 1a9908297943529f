"""Neighbouring columns differ in top bits, and those that the mask claim weighs stand at S."""

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
def test_the_other_columns_are_in_the_order_of_reversed_bits(code: InitialCode) -> None:
    masked = set(mask_addresses(code))
    others = [address for address in column_addresses(code) if address not in masked]
    reversed_bits = [f"{address:0{code.column_rounds}b}"[::-1] for address in others]
    assert reversed_bits == sorted(reversed_bits)


@pytest.mark.parametrize(
    ("weights", "witness", "addresses"),
    [
        (0, 1, (0,)),
        (1, 1, (0, 1)),
        (3, 2, (0, 4, 2, 1, 3)),
        (4, 4, (0, 4, 2, 6, 1, 5, 3, 7)),
    ],
)
def test_the_columns_of_a_transparent_proof(weights: int, witness: int, addresses: tuple[int, ...]) -> None:
    code = initial_code(6, weights, witness, 1)
    assert mask_addresses(code) == ()
    assert column_addresses(code) == addresses


def test_the_columns_of_an_example() -> None:
    code = hiding_code(8, 4, 1, 6, 7, 128)
    assert mask_addresses(code) == (0, 1, 2, 4, 8)
    assert column_addresses(code) == (12, 10, 6, 9, 5, 3, 0, 1, 2, 4, 8, 11, 7)
