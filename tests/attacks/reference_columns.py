"""All committed columns in plain Python: where they stand, what is in them, and what claims weigh in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Transcript
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.layout import DyadicBlock
from deepprove_dist.protocol.parameters import InitialCode
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import BASIS, EXTENSION_DEGREE, ZERO, Values, dot, listed
from tests.attacks.reference_opening import Mask, addresses, masked_addresses
from tests.backends import local


@dataclass(frozen=True)
class MatrixColumns:
    """The columns of weights, then of the witness; `rows` are random rows of the witness, column
    by column.
    """

    code: InitialCode
    data: list[Values]
    rows: list[Values]
    mask: Mask | None

    @classmethod
    def of(cls, key: Prover, witness: Witness) -> MatrixColumns:
        """What a key and a witness commit to."""
        code, weights = key.verifying.schedule.initial, local(key).local_weights.matrix
        present = [matrix for matrix in (weights, witness.matrix) if matrix is not None]
        data = [column for matrix in present for column in _columns(matrix, 1 << code.log_rows)]
        rows = _columns(witness.random_rows, code.random_rows) if code.hiding else []
        if not code.hiding:
            return cls(code, data, rows, None)
        end = len(rows) - EXTENSION_DEGREE
        mask = Mask(_joined(data[-EXTENSION_DEGREE:]), _joined(rows[end:]))
        return cls(code, data[:-EXTENSION_DEGREE], rows[:end], mask)

    @property
    def stored(self) -> Values:
        """All values, column by column."""
        return [value for column in self.data for value in column]

    @property
    def by_address(self) -> Values:
        """The same at their addresses, zero elsewhere."""
        result = [ZERO] * (1 << self.code.column_rounds + self.code.log_rows)
        for address, column in zip(addresses(self.code), self.data, strict=True):
            result[address << self.code.log_rows : (address + 1) << self.code.log_rows] = column
        return result

    @property
    def random(self) -> Values:
        """Random rows at their addresses: k values for each column of the cube."""
        return self._spread([dict(enumerate(rows)) for rows in self.rows])

    def sample(self, z: Extension) -> Extension:
        """The witness's values in the order of columns, then its random rows in that order, as
        coefficients.
        """
        witness = self.data[self.code.weight_columns :]
        coefficients = [value for column in [*witness, *self.rows] for value in column]
        return dot(coefficients, listed(ExtensionVector.powers(z, len(coefficients))))

    def draw_mask(self, transcript: Transcript) -> Values:
        """omega: for each column in S, for each of its last e random rows."""
        count = len(masked_addresses(self.code)) * self.code.mask_rows
        return listed(transcript.challenges("mask/omega", count)) if count else []

    def mask_value(self, omega: Values) -> Extension:
        """mu: the columns in S are the witness's first."""
        fresh, columns = self.code.mask_rows, self.rows[: len(masked_addresses(self.code))]
        return dot(omega, [value for rows in columns for value in rows[-fresh:]])

    def random_weights(self, omega: Values, z: Extension, scale: Extension) -> Values:
        """What the mask claim, of scale 1, and the witness's sample give each random row, by its address."""
        code, k = self.code, self.code.random_rows
        if not code.hiding:
            return []
        first, fresh = code.witness_columns << code.log_rows, code.mask_rows
        weights = []
        for column in range(code.witness_columns):
            # An exponent of the kernels has 64 bits; these are small.
            row = {i: scale * z ** (first + column * k + i) for i in range(k)}
            if column < len(masked_addresses(code)):
                for i in range(fresh):
                    row[k - fresh + i] += omega[column * fresh + i]
            weights.append(row)
        return self._spread(weights)

    def with_pads(self, w: Values, coefficients: Values, blocks: Sequence[DyadicBlock]) -> Values:
        """Weights by address, with coefficient j times Y^k for the value (j, k) of the tensor of pads."""
        result, stands = list(w), addresses(self.code)
        for block in blocks:
            (first, log), (start, log_width) = block.intervals
            for offset in range(1 << log + log_width):
                j, k = first + (offset >> log_width), start + offset % (1 << log_width)
                column, row = divmod(block.position + offset, 1 << self.code.log_rows)
                result[stands[column] << self.code.log_rows | row] += coefficients[j] * BASIS[k]
        return result

    def _spread(self, rows: list[dict[int, Extension]]) -> Values:
        """Values of the witness's random rows at the addresses of its columns."""
        k = self.code.random_rows
        result = [ZERO] * (k << self.code.column_rounds)
        for address, row in zip(addresses(self.code)[self.code.weight_columns :], rows, strict=False):
            for i, value in row.items():
                result[address * k + i] = value
        return result


def _columns(values: BaseVector, rows: int) -> list[Values]:
    flat = [Extension(int(value)) for value in values.to_array()]
    return [flat[start : start + rows] for start in range(0, len(flat), rows)]


def _joined(coordinates: list[Values]) -> Values:
    """One vector over the extension, of five vectors of coordinates."""
    return [dot(BASIS, list(row)) for row in zip(*coordinates, strict=True)]
