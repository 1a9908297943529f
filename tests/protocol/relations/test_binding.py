"""Factors of products: a large tensor in few bytes is bound as integers, and gives what its elements give."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.kernels import BaseVector, ChosenElements, Pool
from deepprove_dist.narrow_integers import LARGE, TYPES, Integers
from deepprove_dist.protocol.relations.contraction import BoundRelation, product_instances
from deepprove_dist.protocol.relations.prove import LocalBinder
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Factor,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
)
from tests.protocol.naive import challenges, whole

X, Y, W = range(3)
OUTPUTS, INPUTS = 300, 240
SYSTEM = System(
    tensors=(
        Tensor("x", (BATCH, INPUTS), Matrix.WITNESS),
        Tensor("y", (BATCH, OUTPUTS), Matrix.WITNESS),
        Tensor("w", (OUTPUTS, INPUTS), Matrix.WEIGHTS),
    ),
    inputs=(PublicTensor("x", X, (INPUTS,), -8, 7, Scale.of(1.0)),),
    outputs=(PublicTensor("y", Y, (OUTPUTS,), -99, 99, Scale.of(1.0)),),
    tables=(),
    relations=(
        Relation(
            "dense",
            Affine((BATCH, OUTPUTS), (Term(1, Y, (0, 1)),), ()),
            (
                Product(
                    1,
                    (INPUTS,),
                    (),
                    Factor(whole(W, (OUTPUTS, INPUTS)), (1, 2)),
                    Factor(whole(X, (BATCH, INPUTS)), (0, 2)),
                ),
            ),
            0,
            0,
        ),
    ),
    lookups=(),
).for_batch(2)


class _Vectors(dict[int, BaseVector]):
    """Tensors as elements, and which of them were read."""

    def __init__(self, tensors: dict[int, Integers]) -> None:
        super().__init__({tensor: BaseVector.from_array(t.reshape(-1)) for tensor, t in tensors.items()})
        self.read = list[int]()

    def __getitem__(self, tensor: int) -> BaseVector:
        self.read.append(tensor)
        return super().__getitem__(tensor)


def bind(weights: Integers, x: Integers) -> tuple[list[bytes], list[int]]:
    """All factors, and the tensors that were read as elements."""
    tensors = {X: x, W: weights}
    vectors = _Vectors(tensors)
    relation = SYSTEM.relations[0]
    products = product_instances([BoundRelation.at(relation, challenges(3, 10))])
    factors = LocalBinder(SYSTEM, vectors, tensors, Pool(2)).bind_product(products[0])
    assert not isinstance(factors, ChosenElements)
    return [bytes(factor) for factor in factors], vectors.read


@pytest.mark.parametrize("kind", TYPES)
def test_large_tensors_in_few_bytes_are_read_as_integers(kind: str) -> None:
    assert OUTPUTS * INPUTS >= LARGE
    rng = np.random.default_rng(5)
    weights, x = rng.integers(-128, 128, (OUTPUTS, INPUTS)), rng.integers(-8, 8, (2, INPUTS))
    expected, read = bind(weights, x)
    assert sorted(read) == [X, W]
    factors, read = bind(weights.astype(kind), x)
    assert factors == expected
    assert sorted(read) == ([X] if np.dtype(kind).itemsize <= 2 else [X, W])
