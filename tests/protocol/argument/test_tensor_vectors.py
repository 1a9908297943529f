"""Field elements of tensors are the same, kept or made where they are read."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.kernels import BaseVector
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.argument import tensor_vectors
from deepprove_dist.protocol.argument.tensor_vectors import TensorVectors

ARRAYS: dict[int, Integers] = {
    2: np.array([[-1, 2], [3, -4]], dtype=np.int8),
    7: np.array([5, -(1 << 30)], dtype=np.int64),
}


def expected(tensor: int) -> bytes:
    return bytes(BaseVector.from_array(ARRAYS[tensor].reshape(-1).astype(np.int64)))


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("most", [0, 6])
def test_vectors_are_those_of_the_integers(monkeypatch: pytest.MonkeyPatch, most: int, threads: int) -> None:
    monkeypatch.setattr(tensor_vectors, "FEW_VALUES", most)
    vectors = TensorVectors.of(ARRAYS, threads)
    assert (vectors[2] is vectors[2]) == (most == 6)
    assert {tensor: bytes(vector) for tensor, vector in vectors.items()} == {t: expected(t) for t in ARRAYS}


@pytest.mark.parametrize("most", [0, 6])
def test_more_of_them_stand_beside(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(tensor_vectors, "FEW_VALUES", most)
    pads = BaseVector.from_array(np.array([9]))
    others = TensorVectors.of({3: np.array([1, 2])}).with_known(4, pads)
    both = TensorVectors.of(ARRAYS).beside(others)
    assert sorted(both) == [2, 3, 4, 7]
    assert len(both) == 4
    assert bytes(both[4]) == bytes(pads)
    assert bytes(both[7]) == expected(7)
    with pytest.raises(KeyError):
        both[5]
