"""Weights of random rows, and the values that they weigh, against their definitions."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Transcript
from deepprove_dist.protocol.claims.claim import GENERATOR
from deepprove_dist.protocol.claims.columns import column_addresses, mask_addresses
from deepprove_dist.protocol.opening.mask import HiddenRows, RandomRowWeights, draw_mask
from deepprove_dist.protocol.parameters import InitialCode
from tests.protocol.naive import challenges, eq, items
from tests.protocol.parameters.shapes import changed_matrix, hiding_code, initial_code


@st.composite
def codes(draw: st.DrawFn) -> InitialCode:
    weights = draw(st.sampled_from((0, 5, 6, 9)))
    witness = draw(st.integers(5, 8))
    code = hiding_code(4, 8, draw(st.integers(1, 3)), weights, witness, 8 if weights else 0)
    return changed_matrix(code, "witness", log_group=draw(st.integers(0, 2)))


def weights_of(code: InitialCode, seed: int) -> RandomRowWeights:
    omega = challenges(seed, len(mask_addresses(code)) * code.mask_rows)
    z, scale = items(challenges(seed + 1, 2))
    return RandomRowWeights(code, omega, z, scale)


def naive(weights: RandomRowWeights) -> list[list[Extension]]:
    """[column, row]: the sample's power, and omega on the last rows of the columns in S."""
    code, rows = weights.code, weights.code.random_rows
    first = code.witness_columns << code.log_rows
    result = [
        [weights.scale * weights.z ** (first + column * rows + row) for row in range(rows)]
        for column in range(code.witness_columns)
    ]
    for column in range(len(mask_addresses(code))):
        for index in range(code.mask_rows):
            omega = weights.omega[column * code.mask_rows + index]
            result[column][rows - code.mask_rows + index] += omega
    return result


@settings(max_examples=20)
@given(code=codes(), seed=st.integers(0, 2**32))
def test_weights_are_those_of_the_mask_claim_and_of_the_sample(code: InitialCode, seed: int) -> None:
    weights = weights_of(code, seed)
    assert items(weights.dense()) == [weight for column in naive(weights) for weight in column]
    assert weights.addresses == column_addresses(code)[code.weight_columns :]


@settings(max_examples=20)
@given(code=codes(), seed=st.integers(0, 2**32))
def test_bound_weights_are_the_dense_ones_by_their_addresses(code: InitialCode, seed: int) -> None:
    weights, point = weights_of(code, seed), challenges(seed + 2, code.column_rounds)
    at_point, expected = eq(point), [Extension(0)] * code.random_rows
    for address, column in zip(weights.addresses, naive(weights), strict=True):
        for row, weight in enumerate(column):
            expected[row] += at_point[address] * weight
    assert items(weights.bound(point)) == expected


@settings(max_examples=20)
@given(code=codes(), seed=st.integers(0, 2**32))
def test_rows_are_the_witness_and_then_the_mask(code: InitialCode, seed: int) -> None:
    rows, random = code.random_rows, np.random.default_rng(seed)
    values = random.integers(0, MODULUS, (code.witness_columns + code.mask_columns, rows))
    hidden = HiddenRows(weights_of(code, seed), BaseVector.from_array(values.reshape(-1)))
    coordinates = [int(value) for value in values[code.witness_columns :].reshape(-1)]
    powers = items(ExtensionVector.powers(GENERATOR, 5))
    expected = [
        sum((powers[k] * coordinates[k * rows + row] for k in range(5)), Extension(0)) for row in range(rows)
    ]
    assert items(hidden.of_mask) == expected


def test_omega_is_one_draw_for_all_columns_of_the_set() -> None:
    code = hiding_code(4, 8, 1, 5, 6, 8)
    omega = draw_mask(code, Transcript(b"test"))
    count = (code.column_rounds + 1) * code.mask_rows
    assert len(set(map(bytes, items(omega)))) == len(omega) == count
    assert bytes(omega) == bytes(Transcript(b"test").challenges("mask/omega", count))


def test_a_transparent_proof_draws_no_omega() -> None:
    transcript = Transcript(b"test")
    assert len(draw_mask(initial_code(4, 5, 6, 2), transcript)) == 0
    assert transcript.digest() == Transcript(b"test").digest()
