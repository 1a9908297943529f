"""Proofs are not zero-knowledge: who sees as many as `inspect` says can compute all committed weights.

The README and the help of `setup` and `prove` say so. When this test fails because proofs hide their rows,
those sentences, and `proofs_revealing_weights`, have to go.
"""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import Pool, Transcript, domain_points
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.opening import verify as opening
from deepprove_dist.protocol.opening.codes import draw_positions, queries, tree_shapes
from deepprove_dist.protocol.parameters import Code, InitialCode, proofs_revealing_weights
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.backends import local
from tests.test_golden import SMALL, golden_model, sequence

Rows = dict[int, IntArray]


def opened_weights(key: Prover, proof: bytes) -> Rows:
    """What a verifier sees: rows of the weights' code, by their position."""
    drawn: list[list[int]] = []

    def spy(code: InitialCode | Code, transcript: Transcript) -> list[int]:
        drawn.append(draw_positions(code, transcript))
        return drawn[-1]

    with patch.object(opening, "draw_positions", spy):
        verify(key.verifying, proof)
    code = key.verifying.schedule.initial
    asked = queries(drawn[0], tree_shapes(code)[0])
    values = proof_file.load(proof).opening.leaves[0].rows.to_array()
    leaves = np.asarray(values, dtype=np.int64).reshape(len(asked.leaves), -1, code.weight_columns)
    # 2^t rows whose positions differ by multiples of n / 2^t share a leaf.
    step = 1 << code.log_length - code.weight_log_group
    return {
        position % step + row * step: leaves[slot, row]
        for position, slot in zip(drawn[0], asked.slots, strict=True)
        for row in range(leaves.shape[1])
    }


def interpolated(code: InitialCode, rows: Rows) -> IntArray:
    """All columns [rows, columns] of the weights' matrix: coefficients of polynomials, from their values."""
    count = 1 << code.log_rows
    positions = sorted(rows)[:count]
    points = np.asarray(domain_points(code.log_length, positions).to_array(), dtype=np.int64)
    powers = np.ones((count, count), dtype=np.int64)
    for exponent in range(1, count):
        powers[:, exponent] = powers[:, exponent - 1] * points % MODULUS
    system = np.concatenate([powers, np.stack([rows[position] for position in positions])], axis=1)
    for pivot in range(count):
        swap = pivot + int(np.flatnonzero(system[pivot:, pivot])[0])
        system[[pivot, swap]] = system[[swap, pivot]]
        system[pivot] = system[pivot] * pow(int(system[pivot, pivot]), MODULUS - 2, MODULUS) % MODULUS
        factors = system[:, pivot].copy()
        factors[pivot] = 0
        system = (system - factors[:, None] * system[pivot] % MODULUS) % MODULUS
    return system[:, count:]


@pytest.mark.parametrize("security", [100, 128])
def test_as_many_proofs_as_inspect_says_reveal_all_weights(security: int) -> None:
    key = Prover.generate(golden_model(SMALL), Options(security=security), Pool(1))
    code = key.verifying.schedule.initial
    expected = proofs_revealing_weights(code)
    assert expected is not None
    rows: Rows = {}
    proofs = 0
    while len(rows) < 1 << code.log_rows:
        x = sequence(1, 1, 4, 5, bound=100).reshape(1, 1, 4, 5)
        proofs += 1
        proof = prove(key, key.runner.run({"x": x}), 1, context=proofs.to_bytes(4, "little"))
        rows |= opened_weights(key, proof)
    assert abs(proofs - expected) <= 1
    matrix = local(key).local_weights.matrix
    assert matrix is not None
    committed = np.asarray(matrix.to_array(), dtype=np.int64)
    assert np.array_equal(interpolated(code, rows).T.reshape(-1), committed)
