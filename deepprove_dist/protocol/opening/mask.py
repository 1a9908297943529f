"""What hides the opening: random rows of witness columns, and the mask claim that weighs them.

Rows 2^m to 2^m + k - 1 of each witness column are uniform and hold no tensor. Two claims weigh them. The mask
claim is mu = sum over c in S, i of omega[c][i] X[c][i], over the last e random rows, and has scale 1. The
sample of the witness gives random row i of column c the weight scale * z^(C 2^m + c k + i), for C columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.kernels import (
    BaseVector,
    Extension,
    ExtensionVector,
    RandomRows,
    Transcript,
)
from deepprove_dist.protocol.claims.columns import column_addresses, mask_addresses
from deepprove_dist.protocol.parameters import InitialCode


def draw_mask(code: InitialCode, transcript: Transcript) -> ExtensionVector:
    """omega: e elements for each column in S, column by column; none for a transparent proof."""
    count = len(mask_addresses(code)) * code.mask_rows
    return transcript.challenges("mask/omega", count) if count else ExtensionVector([])


@dataclass(frozen=True)
class RandomRowWeights:
    """The weights of all random rows, in the combination of all claims.

    Attributes:
        code: the initial code.
        omega: of the mask claim.
        z: the point of the witness's sample.
        scale: of that sample's claim.
    """

    code: InitialCode
    omega: ExtensionVector
    z: Extension
    scale: Extension

    @property
    def addresses(self) -> tuple[int, ...]:
        """The address of each witness column."""
        return column_addresses(self.code)[self.code.columns - self.code.witness_columns :]

    def dense(self) -> ExtensionVector:
        """Of all witness columns, column by column: k elements each."""
        code, fresh = self.code, self.code.mask_rows
        powers = ExtensionVector.powers(self.z, code.witness_columns * code.random_rows).scaled(self._first)
        weights, end = ExtensionVector([]), 0
        for column in range(len(mask_addresses(code))):
            masked = self.omega[column * fresh : (column + 1) * fresh]
            start, end = end, end + code.random_rows
            weights += powers[start : end - fresh] + powers[end - fresh : end].plus(masked)
        return weights + powers[end:]

    def bound(self, point: ExtensionVector) -> ExtensionVector:
        """With columns bound to `point`: sum_c eq(point, address of c) weight[c][i], for each i < k."""
        code, eq = self.code, ExtensionVector.eq(point)
        steps = ExtensionVector.powers(self.z**code.random_rows, code.witness_columns)
        scale = self._first * eq.take(list(self.addresses)).dot(steps)
        weights = ExtensionVector.powers(self.z, code.random_rows).scaled(scale)
        first, fresh = code.random_rows - code.mask_rows, weights[code.random_rows - code.mask_rows :]
        for column, address in enumerate(mask_addresses(code)):
            omega = self.omega[column * code.mask_rows : (column + 1) * code.mask_rows]
            fresh = fresh.plus(omega.scaled(eq[address]))
        return weights[:first] + fresh

    @property
    def _first(self) -> Extension:
        """The sample's weight of the first random row of the first column."""
        return self.scale * self.z ** (self.code.witness_columns << self.code.log_rows)


@dataclass(frozen=True)
class HiddenRows:
    """The prover's random rows, of witness columns and then of mask columns, and their weights.

    Attributes:
        weights: of the witness columns' rows.
        values: column by column, k rows each.
    """

    weights: RandomRowWeights
    values: BaseVector

    @property
    def of_witness(self) -> RandomRows:
        """Those that claims weigh, as kernels take them."""
        code = self.weights.code
        values = self.values[: code.witness_columns * code.random_rows]
        return RandomRows(list(self.weights.addresses), values, self.weights.dense())

    @property
    def of_mask(self) -> ExtensionVector:
        """The random rows of the mask vector s: k elements."""
        code = self.weights.code
        columns = self.values[code.witness_columns * code.random_rows :].to_array()
        rows = columns.reshape(code.mask_columns, code.random_rows).T
        return ExtensionVector.from_coordinates(BaseVector.from_array(rows.astype("int64").reshape(-1)))


@dataclass(frozen=True)
class MaskedOpening:
    """What a prover sends of its mask: <w', s> over all rows, and the random rows of F = f' + epsilon s."""

    product: Extension
    tail: ExtensionVector
