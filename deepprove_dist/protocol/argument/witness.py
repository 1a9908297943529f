"""The witness: every tensor that one proof commits to, and what hides them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Pool, random_values
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.argument.tensor_vectors import TensorVectors
from deepprove_dist.protocol.claims.columns import mask_addresses
from deepprove_dist.protocol.claims.layout import arrange
from deepprove_dist.protocol.hidden.commit import HiddenMatrix
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.lookup.leaves import NONE_EVALUATED
from deepprove_dist.protocol.parameters import FINALS, InitialCode
from deepprove_dist.protocol.system.system import Matrix


@dataclass(frozen=True)
class Witness:
    """All witness tensors, and the matrix that they make.

    Attributes:
        code: of the matrix.
        tensors: integers in row-major order, by the tensor's index.
        vectors: the same as field elements; the tensor of pads is here too.
        matrix: the same in their columns, zero elsewhere; then the five mask columns of a hiding proof.
        random_rows: the k further rows of all these columns, column by column; none in a transparent proof.
        pads: the rows of the tensor of pads as elements of the extension; none in a transparent proof.
        hidden: the matrices of hidden inputs and outputs, which have been committed before.
        evaluated: first columns of lookups of expressions, by the lookup's number, as far as they are known.
    """

    code: InitialCode
    tensors: Mapping[int, Integers]
    vectors: TensorVectors
    matrix: BaseVector
    random_rows: BaseVector
    pads: ExtensionVector
    hidden: tuple[HiddenMatrix, ...] = ()
    evaluated: Mapping[int, IntArray] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        instance: Instance,
        code: InitialCode,
        tensors: Mapping[int, Integers],
        vectors: TensorVectors,
        seed: bytes = b"",
        hidden: tuple[HiddenMatrix, ...] = (),
        evaluated: Mapping[int, IntArray] = NONE_EVALUATED,
    ) -> Witness:
        """The witness of these tensors; `seed`, 32 bytes, gives what hides them in a hiding proof."""
        pads = ExtensionVector([])
        if instance.pads > 0:
            values = random_values(seed, "pads", 0, EXTENSION_DEGREE * (instance.pads + FINALS))
            vectors = vectors.with_known(instance.pads_tensor, values)
            pads = ExtensionVector.from_coordinates(values)
        matrix = arrange(instance.system, instance.layout, Matrix.WITNESS, vectors)
        return cls(code, tensors, vectors, *_hide(code, matrix, seed), pads, hidden, evaluated)

    @classmethod
    def without_tensors(cls, code: InitialCode, seed: bytes) -> Witness:
        """A witness that hides an opening, and holds nothing; `seed` has 32 bytes."""
        matrix = BaseVector.arranged(0, code.witness_columns << code.log_rows, [])
        return cls(code, {}, TensorVectors.of({}), *_hide(code, matrix, seed), ExtensionVector([]))

    def column_values(self, z: Extension, pool: Pool) -> ExtensionVector:
        """For every column c of the matrix, sum_i M[i][c] z^i over the rows of data."""
        return self.matrix.column_values(1 << self.code.log_rows, z, pool)

    def evaluate(self, z: Extension, column_values: ExtensionVector, pool: Pool) -> Extension:
        """The matrix at powers of z, without mask columns: rows of data, then all random rows.

        `column_values` are those of the method at z.
        """
        rows, columns = 1 << self.code.log_rows, self.code.witness_columns
        value = column_values[:columns].dot(ExtensionVector.powers(z**rows, columns))
        random = self.random_rows[: columns * self.code.random_rows]
        if len(random) > 0:
            value += z ** (columns * rows) * random.column_values(len(random), z, pool)[0]
        return value

    def mask_value(self, omega: ExtensionVector) -> Extension:
        """The mask claim's value: the last random rows of the columns in S, weighed by omega."""
        code, total = self.code, Extension(0)
        for column in range(len(mask_addresses(code))):
            end = (column + 1) * code.random_rows
            fresh = self.random_rows[end - code.mask_rows : end]
            total += omega[column * code.mask_rows : (column + 1) * code.mask_rows].dot(
                ExtensionVector.of_base(fresh)
            )
        return total


def _hide(code: InitialCode, matrix: BaseVector, seed: bytes) -> tuple[BaseVector, BaseVector]:
    """The matrix with its mask columns, and the random rows of both; unchanged in a transparent proof."""
    if not code.hiding:
        return matrix, BaseVector.from_bytes(b"")
    mask = random_values(seed, "s", 0, code.mask_columns << code.log_rows)
    count = (code.witness_columns + code.mask_columns) * code.random_rows
    return BaseVector.concatenated([matrix, mask]), random_values(seed, "rows", 0, count)
