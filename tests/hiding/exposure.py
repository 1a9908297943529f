"""What a verifier's view says of the weights: rows of their code, as they are opened, or
computed through F.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, ExtensionVector, domain_points
from deepprove_dist.protocol.messages.proof import Leaves, ProofContent
from deepprove_dist.protocol.opening import verify as opening_verify
from deepprove_dist.protocol.opening.codes import (
    column_weights,
    fold_tail,
    queries,
    query_points,
    tree_shapes,
)
from deepprove_dist.protocol.parameters import InitialCode
from tests.hiding.elements import base, coordinates, solve
from tests.hiding.tables import rows_of_leaves
from tests.hiding.toy import Toy

Rows = dict[int, IntArray]
"""Rows of the weights' code by their position."""


@dataclass(frozen=True)
class Opened:
    """What verifying a proof shows of the initial code."""

    positions: list[int]
    point: ExtensionVector
    epsilon: Any
    tail: ExtensionVector
    leaves: list[Leaves]


def observe(toy: Toy, proof: ProofContent) -> Opened:
    """Verifies a proof, and looks on."""
    seen: list[Opened] = []
    check = opening_verify._check_leaves

    def spy(last: Any, positions: list[int], opened: list[Leaves]) -> ExtensionVector:
        if isinstance(last.code, InitialCode):
            seen.append(Opened(positions, last.point, last.epsilon, last.tail, opened))
        return check(last, positions, opened)

    with patch.object(opening_verify, "_check_leaves", spy):
        toy.verify(proof)
    return seen[0]


def opened_rows(code: InitialCode, seen: Opened) -> Rows:
    """Those in the leaves of the weights' tree."""
    shape = tree_shapes(code)[0]
    positions = rows_of_leaves(shape, 1 << code.log_length, queries(seen.positions, shape).leaves)
    rows = base(seen.leaves[0].rows).reshape(-1, code.weight_columns)
    return dict(zip(positions.reshape(-1).tolist(), rows, strict=True))


def folded_rows(code: InitialCode, seen: Opened, final: ExtensionVector) -> Rows:
    """Those at all rows of the witness's leaves: F less X and s is sum_c eq(r, c) W_c there.

    `final` has the data of F, where no round commits it. The five coordinates are equations for five columns.
    """
    assert code.weight_columns == 5
    shape = tree_shapes(code)[-1]
    positions = rows_of_leaves(shape, 1 << code.log_length, queries(seen.positions, shape).leaves).reshape(-1)
    indices = [int(position) for position in positions]
    folded = final.at(query_points(code, indices)).plus(fold_tail(code, seen.tail, indices))
    of_weights, of_witness = column_weights(code, seen.point, seen.epsilon)
    rows = base(seen.leaves[1].rows).reshape(len(indices), -1)
    known = ExtensionVector([_elements(row).dot(of_witness) for row in rows])
    equations = coordinates(of_weights).T
    values = solve(equations, coordinates(folded.minus(known)).T)
    assert values is not None
    return dict(zip(indices, values.T, strict=True))


def all_rows(toy: Toy, numbers: range, *, through_f: bool) -> Rows:
    """What the proofs of these numbers show together; each is about another context."""
    code, rows = toy.key.verifying.schedule.initial, Rows()
    for number in numbers:
        proof = toy.prove(number, number.to_bytes(4, "little"))
        seen = observe(toy, proof)
        rows |= opened_rows(code, seen)
        if through_f:
            rows |= folded_rows(code, seen, proof.opening.final)
    return rows


def interpolated(code: InitialCode, rows: Rows) -> IntArray | None:
    """All columns of weights with their tails, [rows, columns]; None where there are too few values."""
    positions = sorted(rows)
    if len(positions) < 1 << code.log_rows:
        return None
    return solve(vandermonde(code, positions), np.stack([rows[position] for position in positions]))


def is_possible(code: InitialCode, data: IntArray, rows: Rows) -> bool:
    """Whether weights, [columns, 2^m] without tails, have tails that give the rows."""
    positions, first = sorted(rows), (1 << code.log_rows) - code.tail("weights")
    powers = vandermonde(code, positions)
    products = np.stack([_multiply(powers[:, :first], column[:first]) for column in data], axis=1)
    values = (np.stack([rows[position] for position in positions]) - products) % MODULUS
    return solve(powers[:, first:], values) is not None


def vandermonde(code: InitialCode, positions: list[int]) -> IntArray:
    """x^i for the point x of each position, and each row i of data."""
    points = base(domain_points(code.log_length, positions))
    powers = np.ones((len(positions), 1 << code.log_rows), dtype=np.int64)
    for exponent in range(1, powers.shape[1]):
        powers[:, exponent] = powers[:, exponent - 1] * points % MODULUS
    return powers


def _multiply(matrix: IntArray, values: IntArray) -> IntArray:
    result: IntArray = (matrix * values % MODULUS).sum(axis=1) % MODULUS
    return result


def _elements(row: IntArray) -> ExtensionVector:
    return ExtensionVector.of_base(BaseVector.from_array(row))
