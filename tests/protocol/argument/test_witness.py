"""The witness's matrix, its random rows and pads, and what is computed of them, by their definitions."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from deepprove_dist.kernels import Extension, ExtensionVector, Pool, random_values
from deepprove_dist.protocol.argument.tensor_vectors import TensorVectors
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.columns import mask_addresses
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.lookup.prove import count_rows
from deepprove_dist.protocol.system.system import Matrix
from tests.protocol.example import proving_key, trace
from tests.protocol.naive import challenges, items, positions

POOL = Pool(1)
SEED, OTHER = bytes(32), bytes([1, *[0] * 31])


def instance_of(hiding: bool) -> Instance:
    return proving_key(hiding=hiding).verifying.instance(1)


@cache
def witness_of(hiding: bool, seed: bytes = SEED) -> Witness:
    key, run = proving_key(hiding=hiding), trace()
    tensors = {
        index: source.read(run.values, run.columns).reshape(-1)
        for index, source in key.lowered.sources.items()
    }
    instance = instance_of(hiding)
    tensors |= count_rows(instance.system, tensors)
    vectors = TensorVectors.of(tensors)
    return Witness.of(instance, key.verifying.schedule.initial, tensors, vectors, seed)


@pytest.mark.parametrize("hiding", [False, True])
def test_tensors_stand_at_their_positions_and_zeros_elsewhere(hiding: bool) -> None:
    witness, instance = witness_of(hiding), instance_of(hiding)
    layout, code = instance.layout, witness.code
    first = layout.first_column(Matrix.WITNESS) << layout.log_rows
    expected = np.zeros(code.witness_columns << layout.log_rows, dtype=np.int64)
    for index, tensor in enumerate(instance.system.tensors):
        if tensor.matrix is Matrix.WITNESS:
            where = positions(layout, index, tensor.shape).reshape(-1) - first
            expected[where] = witness.vectors[index].to_array()
    columns = (code.witness_columns + code.mask_columns) << layout.log_rows
    assert len(witness.matrix) == columns
    assert np.array_equal(witness.matrix[: len(expected)].to_array(), expected)


def test_a_transparent_witness_has_nothing_random() -> None:
    witness = witness_of(False)
    assert (len(witness.random_rows), len(witness.pads)) == (0, 0)
    assert set(witness.vectors) == set(witness.tensors)
    assert witness_of(False, OTHER).matrix.to_array().tolist() == witness.matrix.to_array().tolist()


def test_streams_of_the_seed_are_pads_mask_columns_and_random_rows() -> None:
    witness, instance = witness_of(True), instance_of(True)
    code = witness.code
    pads = random_values(SEED, "pads", 0, 5 * (instance.pads + 4))
    assert bytes(witness.pads) == bytes(ExtensionVector.from_coordinates(pads))
    assert bytes(witness.vectors[instance.pads_tensor]) == bytes(pads)
    assert instance.pads_tensor not in witness.tensors
    mask = random_values(SEED, "s", 0, 5 << code.log_rows)
    assert bytes(witness.matrix[-len(mask) :]) == bytes(mask)
    rows = random_values(SEED, "rows", 0, (code.witness_columns + 5) * code.random_rows)
    assert bytes(witness.random_rows) == bytes(rows)


def test_another_seed_changes_all_that_is_random_and_no_tensor() -> None:
    first, second = witness_of(True), witness_of(True, OTHER)
    assert bytes(first.pads) != bytes(second.pads)
    assert bytes(first.random_rows) != bytes(second.random_rows)
    mask = 5 << first.code.log_rows
    assert bytes(first.matrix[-mask:]) != bytes(second.matrix[-mask:])
    for index in first.tensors:
        assert bytes(first.vectors[index]) == bytes(second.vectors[index])


@pytest.mark.parametrize("hiding", [False, True])
def test_the_answer_is_data_and_then_random_rows_at_powers_of_z(hiding: bool) -> None:
    witness, (z,) = witness_of(hiding), items(challenges(5, 1))
    code = witness.code
    data = witness.matrix.to_array()[: code.witness_columns << code.log_rows]
    rows = witness.random_rows.to_array()[: code.witness_columns * code.random_rows]
    total, power = Extension(0), Extension(1)
    for value in [*data, *rows]:
        total += power * int(value)
        power *= z
    assert witness.evaluate(z, witness.column_values(z, POOL), POOL) == total


def test_the_mask_claim_weighs_the_last_random_rows_of_the_first_columns() -> None:
    witness = witness_of(True)
    code, values = witness.code, witness.random_rows.to_array()
    columns = len(mask_addresses(code))
    omega, total = challenges(6, columns * code.mask_rows), Extension(0)
    for column in range(columns):
        for index in range(code.mask_rows):
            row = (column + 1) * code.random_rows - code.mask_rows + index
            total += omega[column * code.mask_rows + index] * int(values[row])
    assert witness.mask_value(omega) == total
