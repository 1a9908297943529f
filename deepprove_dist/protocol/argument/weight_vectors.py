"""Weights as field elements. Those of a large model are made where they are read: they take gigabytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepprove_dist.kernels import BaseVector
from deepprove_dist.narrow_integers import Integers

MOST_KEPT = 2**25
"""Elements that are kept, of all tensors together: 128 MB."""


class WeightVectors(Mapping[int, BaseVector]):
    """Tensors as field elements in row-major order, by index: made of integers, or known."""

    def __init__(self, arrays: Mapping[int, Integers], known: Mapping[int, BaseVector]) -> None:
        """`arrays` are the integers of tensors, of any shape, that are not all `known`."""
        self._arrays, self._known = arrays, known

    @classmethod
    def of(cls, arrays: Mapping[int, Integers]) -> WeightVectors:
        """Those of weights; kept, unless they are too many."""
        few = sum(array.size for array in arrays.values()) <= MOST_KEPT
        return cls(arrays, {tensor: _vector(array) for tensor, array in arrays.items()} if few else {})

    def beside(self, others: Mapping[int, BaseVector]) -> WeightVectors:
        """These and others, such as those of a witness."""
        return WeightVectors(self._arrays, {**self._known, **others})

    def __getitem__(self, tensor: int) -> BaseVector:
        vector = self._known.get(tensor)
        return _vector(self._arrays[tensor]) if vector is None else vector

    def __iter__(self) -> Iterator[int]:
        return iter(self._arrays.keys() | self._known.keys())

    def __len__(self) -> int:
        return len(self._arrays.keys() | self._known.keys())


def _vector(array: Integers) -> BaseVector:
    return BaseVector.from_array(array.reshape(-1))
