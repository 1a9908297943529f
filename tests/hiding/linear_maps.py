"""What a proof sends, as linear maps of its random rows: from the book's formulas, for the layout as built.

Maps have coefficients [message, column, row, 5]; columns are those of the witness, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE, MODULUS
from deepprove_dist.kernels import ExtensionVector, domain_points, verify_rounds
from deepprove_dist.protocol.argument import verify as argument_verify
from deepprove_dist.protocol.claims import columns as column_order
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.opening import verify as opening_verify
from deepprove_dist.protocol.opening.codes import draw_positions, tree_shapes
from deepprove_dist.protocol.opening.mask import RandomRowWeights
from deepprove_dist.protocol.parameters import Code, InitialCode
from tests.hiding.elements import base, coordinates
from tests.hiding.tables import rows_of_leaves
from tests.hiding.toy import Toy
from tests.protocol.test_mask_rank import multiply, powers, rank, round_coefficients


@dataclass(frozen=True)
class Drawn:
    """The challenges of one proof that its linear maps depend on, and the weights of the one claim."""

    code: InitialCode
    weights: RandomRowWeights
    terms: Any
    point: ExtensionVector
    positions: list[int]

    @classmethod
    def of(cls, toy: Toy, proof: ProofContent) -> Drawn:
        """Of a proof that verifies."""
        opening, drawn, seen = (
            opening_verify.verify_opening_proof,
            list[list[int]](),
            list[tuple[Any, Any, Any]](),
        )

        def positions(code: InitialCode | Code, transcript: Any) -> list[int]:
            drawn.append(draw_positions(code, transcript))
            return drawn[-1]

        def verify(
            schedule: Any, roots: Any, terms: Any, value: Any, sent: Any, mask: Any, transcript: Any
        ) -> None:
            rounds = schedule.initial.column_rounds
            point, _ = verify_rounds(rounds, sent.columns, value, transcript.copy())
            seen.append((mask.weights, terms, point))
            opening(schedule, roots, terms, value, sent, mask, transcript)

        with (
            patch.object(argument_verify, "verify_opening_proof", verify),
            patch.object(opening_verify, "draw_positions", positions),
        ):
            toy.verify(proof)
        return cls(toy.key.verifying.schedule.initial, *seen[0], drawn[0])

    @property
    def addresses(self) -> list[int]:
        """Of the witness's columns."""
        code = self.code
        return list(column_order.column_addresses(code))[code.columns - code.witness_columns :]

    @property
    def opened(self) -> IntArray:
        """Positions of all rows in the opened leaves of the witness's tree, increasing."""
        shape = tree_shapes(self.code)[-1]
        leaves = sorted(set(shape.leaf_indices(self.positions)))
        rows: IntArray = np.sort(rows_of_leaves(shape, 1 << self.code.log_length, leaves).reshape(-1))
        return rows

    def answer(self) -> IntArray:
        """Of the witness's sample, on random rows: column c's row i has the power C 2^m + c k + i of z."""
        code = self.code
        count, first = code.witness_columns * code.random_rows, code.witness_columns << code.log_rows
        z = coordinates(self.weights.z)[0]
        values = powers(z, first + count)[first:]
        return values.reshape(1, code.witness_columns, code.random_rows, EXTENSION_DEGREE)

    def mask_value(self) -> IntArray:
        """Of mu: omega on the last e rows of the first columns, zero elsewhere."""
        code, count = self.code, self.code.column_rounds + 1
        result = np.zeros((1, code.witness_columns, code.random_rows, EXTENSION_DEGREE), dtype=np.int64)
        omega = coordinates(self.weights.omega).reshape(count, code.mask_rows, EXTENSION_DEGREE)
        result[0, :count, code.random_rows - code.mask_rows :] = omega
        return result

    def messages(self, *, sample: bool = True) -> IntArray:
        """Of the column rounds' messages; without `sample` as if the mask claim alone weighed random rows."""
        weights = self.mask_value()[0]
        if sample:
            scale = coordinates(self.weights.scale)[0]
            weights = (weights + multiply(scale, self.answer()[0])) % MODULUS
        cube = np.zeros((1 << self.code.column_rounds, *weights.shape[1:]), dtype=np.int64)
        cube[self.addresses] = weights
        return round_coefficients(cube, coordinates(self.point))[:, self.addresses]

    def leaf(self, position: int, columns: list[int]) -> IntArray:
        """Of the row at a position in some columns, as base-linear functionals [column, ...] of
        one coordinate.
        """
        code = self.code
        result = np.zeros((len(columns), code.witness_columns, code.random_rows), dtype=np.int64)
        result[range(len(columns)), columns] = row_powers(code, position)
        return result


def row_powers(code: InitialCode, position: int) -> IntArray:
    """x^(2^m + i) for the point x of a position, and each random row i."""
    x = int(base(domain_points(code.log_length, [position]))[0])
    values = [pow(x, 1 << code.log_rows, MODULUS)]
    for _ in range(code.random_rows - 1):
        values.append(values[-1] * x % MODULUS)
    return np.array(values)


def coordinate_functionals(maps: IntArray) -> IntArray:
    """[5 messages, values] of maps [message, column, row, 5]."""
    return np.moveaxis(maps, -1, 1).reshape(len(maps) * EXTENSION_DEGREE, -1)


def unopened_rank(code: InitialCode, opened: IntArray, functionals: IntArray) -> int:
    """The rank of functionals [count, column, row] of random rows, given the rows at the opened positions.

    Random rows that are zero there are multiples of one polynomial, by any cofactor.
    """
    vanishing = np.array([1], dtype=np.int64)
    for x in base(domain_points(code.log_length, [int(position) for position in opened])):
        vanishing = (np.append(0, vanishing) - np.append(vanishing * int(x) % MODULUS, 0)) % MODULUS
    free = code.random_rows - len(opened)
    if free < 0:
        return 0
    cofactors = np.zeros((code.random_rows, free), dtype=np.int64)
    for shift in range(free):
        cofactors[shift : shift + len(vanishing), shift] = vanishing
    flat = functionals.reshape(-1, code.random_rows)
    product = np.zeros((len(flat), free), dtype=np.int64)
    for row in range(code.random_rows):
        product = (product + flat[:, row, None] * cofactors[row]) % MODULUS
    return rank(product.reshape(len(functionals), -1))


def fresh_rank(drawn: Drawn, maps: IntArray) -> int:
    """The rank of maps [message, column, row, 5] on the last e rows of the columns in S."""
    code = drawn.code
    fresh = maps[:, : code.column_rounds + 1, code.random_rows - code.mask_rows :]
    return rank(coordinate_functionals(fresh))
