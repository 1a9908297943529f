"""Tensors as field elements. Those of a large model are made where they are read: they take gigabytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepprove_dist.ahead import by_threads
from deepprove_dist.kernels import BaseVector
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.parameters.memory import FEW_VALUES


class TensorVectors(Mapping[int, BaseVector]):
    """Tensors as field elements in row-major order, by index: made of integers, or known."""

    def __init__(self, arrays: Mapping[int, Integers], known: Mapping[int, BaseVector]) -> None:
        """`arrays` are the integers of tensors, of any shape, that are not all `known`."""
        self._arrays, self._known = arrays, known

    @classmethod
    def of(cls, arrays: Mapping[int, Integers], threads: int = 1) -> TensorVectors:
        """Those of integers; kept, unless they are too many, and made by so many threads."""
        if sum(array.size for array in arrays.values()) > FEW_VALUES:
            return cls(arrays, {})
        return cls(arrays, dict(zip(arrays, by_threads(_vector, arrays.values(), threads), strict=True)))

    def with_known(self, tensor: int, vector: BaseVector) -> TensorVectors:
        """These and one more."""
        return TensorVectors(self._arrays, {**self._known, tensor: vector})

    def beside(self, others: TensorVectors) -> TensorVectors:
        """These and others, such as those of a witness."""
        return TensorVectors({**self._arrays, **others._arrays}, {**self._known, **others._known})

    def __getitem__(self, tensor: int) -> BaseVector:
        vector = self._known.get(tensor)
        return _vector(self._arrays[tensor]) if vector is None else vector

    def __iter__(self) -> Iterator[int]:
        return iter(self._arrays.keys() | self._known.keys())

    def __len__(self) -> int:
        return len(self._arrays.keys() | self._known.keys())


def _vector(array: Integers) -> BaseVector:
    return BaseVector.from_array(array.reshape(-1))
