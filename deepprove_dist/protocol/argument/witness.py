"""The witness: every tensor that one proof commits to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.claims.layout import arrange
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.system.system import Matrix


@dataclass(frozen=True)
class Witness:
    """All witness tensors, and the matrix that they make.

    Attributes:
        tensors: integers in row-major order, by the tensor's index.
        vectors: the same as field elements.
        matrix: the same in the order of addresses, column by column, zero at unused addresses.
    """

    tensors: Mapping[int, IntArray]
    vectors: Mapping[int, BaseVector]
    matrix: BaseVector

    @classmethod
    def of(cls, instance: Instance, tensors: Mapping[int, IntArray]) -> Witness:
        """The witness of these tensors; the layout gives its matrix the key's width for any batch."""
        vectors = {tensor: BaseVector.from_array(array.reshape(-1)) for tensor, array in tensors.items()}
        layout = instance.layout
        matrix = arrange(instance.system, layout, Matrix.WITNESS, layout.witness_columns, vectors)
        return cls(tensors, vectors, matrix)
