"""Exact ranks for the layout as built: what is sent in clear before F is uniform, given the opened rows."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE, MODULUS
from deepprove_dist.protocol.messages.proof import ProofContent
from tests.hiding.chosen import chosen
from tests.hiding.elements import base, coordinates
from tests.hiding.linear_maps import (
    Drawn,
    fresh_rank,
    row_powers,
    unopened_rank,
)
from tests.hiding.rank_detectors import sent_functionals
from tests.hiding.toy import Sizes, Toy, reservation, toy_key
from tests.protocol.test_mask_rank import powers, round_coefficients

SIZES = [
    Sizes(),
    Sizes(log_inverse_rate=2, witness_group=2),
    Sizes(queries=20, log_inverse_rate=3, folded=True),
]


@pytest.mark.parametrize("sizes", SIZES)
def test_all_that_is_sent_and_an_unopened_leaf_are_independent(sizes: Sizes) -> None:
    toy = Toy(toy_key(sizes))
    drawn = Drawn.of(toy, toy.prove(0))
    code = drawn.code
    unopened = next(p for p in range(1 << code.log_length) if p not in drawn.opened)
    for columns in ([0, 1, 2, 3, 4], [2, 3, 4, 5, 6]):
        functionals = sent_functionals(drawn, unopened, columns)
        assert len(functionals) == 10 * code.column_rounds + 15
        assert unopened_rank(code, drawn.opened, functionals) == len(functionals)
        # The values of an opened leaf are given.
        known = sent_functionals(drawn, int(drawn.opened[0]), columns)
        assert unopened_rank(code, drawn.opened, known) == len(functionals) - EXTENSION_DEGREE


@pytest.mark.parametrize("sizes", SIZES)
def test_fresh_rows_alone_reach_all_messages(sizes: Sizes) -> None:
    toy = Toy(toy_key(sizes))
    drawn = Drawn.of(toy, toy.prove(0))
    k0 = drawn.code.column_rounds
    by_mask = np.concatenate([drawn.mask_value(), drawn.messages(sample=False)])
    assert fresh_rank(drawn, by_mask) == 10 * k0 + 5
    with_sample = np.concatenate([drawn.answer(), drawn.mask_value(), drawn.messages()])
    assert fresh_rank(drawn, with_sample) == 10 * k0 + 10


def test_ranks_are_full_for_a_secure_key() -> None:
    toy = chosen()
    drawn = Drawn.of(toy, toy.prove(0))
    k0 = drawn.code.column_rounds
    by_mask = np.concatenate([drawn.mask_value(), drawn.messages(sample=False)])
    assert fresh_rank(drawn, by_mask) == 10 * k0 + 5
    unopened = next(p for p in range(1 << drawn.code.log_length) if p not in drawn.opened)
    functionals = sent_functionals(drawn, unopened, [0, 1, 2, 3, 4])
    assert unopened_rank(drawn.code, drawn.opened, functionals) == 10 * k0 + 15


@pytest.mark.parametrize("sizes", SIZES)
def test_the_maps_are_those_of_the_prover(sizes: Sizes) -> None:
    toy = Toy(toy_key(sizes))
    proof = toy.prove(0)
    drawn = Drawn.of(toy, proof)
    code = drawn.code
    data, random = witness_of(toy)
    # The answer: data has the powers before those of random rows.
    first = powers(coordinates(drawn.weights.z)[0], code.witness_columns << code.log_rows)
    answer = weighed(first.reshape(1, *data.shape, EXTENSION_DEGREE), data) + weighed(drawn.answer(), random)
    assert np.array_equal(answer % MODULUS, coordinates(proof.witness.answer))
    assert proof.mask is not None
    assert np.array_equal(weighed(drawn.mask_value(), random), coordinates(proof.mask.value))
    sent = weighed(drawn.messages(), random) + data_part(toy, drawn, data)
    assert np.array_equal(sent % MODULUS, coordinates(proof.opening.columns))


def test_opened_rows_are_those_of_the_prover() -> None:
    toy = Toy(toy_key())
    proof = toy.prove(0)
    drawn = Drawn.of(toy, proof)
    data, random = witness_of(toy)
    code = drawn.code
    expected = set()
    for position in drawn.opened:
        tail = row_powers(code, int(position))
        x = int(tail[1]) * pow(int(tail[0]), -1, MODULUS) % MODULUS
        monomials = np.array([pow(x, i, MODULUS) for i in range(1 << code.log_rows)])
        row = (data * monomials % MODULUS).sum(axis=1) + (random * tail % MODULUS).sum(axis=1)
        expected.add(tuple(row % MODULUS))
    assert expected == opened_witness_rows(toy, proof)


def witness_of(toy: Toy) -> tuple[IntArray, IntArray]:
    """Data [column, 2^m] and random rows [column, k] of the proof of number 0, without mask columns."""
    instance = toy.key.verifying.instance(1)
    code = toy.key.verifying.schedule.initial
    witness = toy.key.witness(instance, toy.trace, toy.statement, reservation(0))
    data = base(witness.matrix).reshape(-1, 1 << code.log_rows)[: code.witness_columns]
    random = base(witness.random_rows).reshape(-1, code.random_rows)[: code.witness_columns]
    return data, random


def opened_witness_rows(toy: Toy, proof: ProofContent) -> set[tuple[int, ...]]:
    code = toy.key.verifying.schedule.initial
    rows = base(proof.opening.leaves[1].rows).reshape(-1, code.witness_columns + code.mask_columns)
    return {tuple(row[: code.witness_columns]) for row in rows}


def weighed(maps: IntArray, values: IntArray) -> IntArray:
    """[message, 5]: maps [message, column, row, 5] of values [column, row]."""
    result: IntArray = (maps * values[None, :, :, None] % MODULUS).sum(axis=(1, 2)) % MODULUS
    return result


def data_part(toy: Toy, drawn: Drawn, data: IntArray) -> IntArray:
    """What rows of data, weights' among them, add to the messages of the column rounds."""
    code, addresses = drawn.code, toy.key.verifying.instance(1).layout.addresses
    matrix = toy.key.backend.local_weights.matrix  # type: ignore[attr-defined]
    columns = np.concatenate([base(matrix).reshape(code.weight_columns, -1), data])
    bits = code.column_rounds + code.log_rows
    corners = range(len(columns) << code.log_rows)
    weights = np.zeros((1 << code.column_rounds, 1 << code.log_rows, EXTENSION_DEGREE), dtype=np.int64)
    from deepprove_dist.kernels import ExtensionVector

    for index in corners:
        corner = ExtensionVector([index >> bit & 1 for bit in reversed(range(bits))])
        weights[index >> code.log_rows, index & (1 << code.log_rows) - 1] = coordinates(
            drawn.terms.evaluate(corner)
        )
    values = np.zeros((1 << code.column_rounds, 1 << code.log_rows), dtype=np.int64)
    values[list(addresses)] = columns
    return weighed(round_coefficients(weights, coordinates(drawn.point)), values)
