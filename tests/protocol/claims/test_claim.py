"""Claims, combined and evaluated through their blocks, are the inner products that they say they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    BlockDiagonalTerm,
    ClaimTerms,
    Extension,
    ExtensionVector,
    Pool,
    PowersTerm,
    ProductTerm,
)
from deepprove_dist.protocol.claims.claim import Claim, ClaimTerm, combine, split_point
from deepprove_dist.protocol.claims.layout import Layout, lay_out
from deepprove_dist.protocol.claims.public import evaluate
from deepprove_dist.protocol.system.system import Matrix, System, axis_bits
from tests.protocol.naive import addresses, challenges, eq, inner, integers, items, system_of

shapes = st.lists(st.integers(1, 6), max_size=3).map(tuple)
systems = st.builds(system_of, st.lists(shapes, min_size=1, max_size=3), st.lists(shapes, max_size=2))


@st.composite
def axis_vectors(draw: st.DrawFn, size: int) -> AxisVector:
    kind = draw(st.sampled_from(("eq", "ones", "one-hot", "explicit")))
    seed = draw(st.integers(0, 2**32))
    if kind == "eq":
        return AxisVector.eq(challenges(seed, axis_bits(size)))
    if kind == "one-hot":
        return AxisVector.one_hot(draw(st.integers(0, size - 1)))
    return AxisVector.explicit(challenges(seed, size)) if kind == "explicit" else AxisVector.ones()


Weights = dict[int, Extension]
"""By address, the vector that a term is the inner product with."""


@st.composite
def terms(draw: st.DrawFn, system: System, layout: Layout) -> tuple[ClaimTerm, Weights]:
    """A term and its weights by definition."""
    coefficient, z = items(challenges(draw(st.integers(0, 2**32)), 2))
    tensor = draw(st.integers(0, len(system.tensors) - 1))
    kind = draw(st.sampled_from(("product", "block-diagonal", "powers")))
    if kind == "powers":
        matrix = draw(st.sampled_from(Matrix))
        term = PowersTerm(layout.addresses_of(matrix), layout.log_rows, z)
        first = layout.first_column(matrix) << layout.log_rows
        return term, {first + index: z**index for index in range(len(term.addresses) << layout.log_rows)}
    if kind == "block-diagonal":
        count = len(layout.blocks[tensor])
        random = challenges(draw(st.integers(0, 2**32)), count + layout.log_rows + 2)
        blocks = BlockDiagonalTerm(coefficient, tensor, random[:count], random[count:])
        return blocks, block_diagonal_weights(blocks, layout)
    vectors = tuple(draw(axis_vectors(size)) for size in system.tensors[tensor].shape)
    product = ProductTerm(coefficient, tensor, vectors)
    return product, product_weights(product, system.tensors[tensor].shape, layout)


def product_weights(term: ProductTerm, shape: Shape, layout: Layout) -> Weights:
    axes = [items(axis.dense(size)) for axis, size in zip(term.axes, shape, strict=True)]
    weights = {}
    for position, address in np.ndenumerate(addresses(layout, term.tensor, shape)):
        weights[int(address)] = term.coefficient
        for index, axis in zip(position, axes, strict=True):
            weights[int(address)] *= axis[index]
    return weights


def block_diagonal_weights(term: BlockDiagonalTerm, layout: Layout) -> Weights:
    return {
        block.position + offset: term.coefficient * factor * weight
        for block, factor in zip(layout.blocks[term.tensor], items(term.factors), strict=True)
        for offset, weight in enumerate(eq(term.point[len(term.point) - block.log_size :]))
    }


@settings(max_examples=60)
@given(data=st.data(), system=systems, log_rows=st.integers(2, 4), seed=st.integers(0, 2**32))
def test_combined_claims_evaluate_to_the_extension_of_their_weights(
    data: st.DataObject, system: System, log_rows: int, seed: int
) -> None:
    layout = lay_out(system, log_rows)
    drawn = data.draw(st.lists(st.lists(terms(system, layout), min_size=1, max_size=2), max_size=3))
    challenge, *values = items(challenges(seed, len(drawn) + 1))
    claims = [
        Claim(value, ClaimTerms([term for term, _ in pairs]))
        for value, pairs in zip(values, drawn, strict=True)
    ]
    combined = combine(claims, challenge)
    point = challenges(seed + 1, log_rows + axis_bits(sum(layout.columns.values())))
    at_point, expected, total = eq(point), Extension(0), Extension(0)
    for index, (claim, pairs) in enumerate(zip(claims, drawn, strict=True)):
        total += challenge**index * claim.value
        for _, weights in pairs:
            for address, weight in weights.items():
                expected += challenge**index * weight * at_point[address]
    assert combined.value == total
    assert items(combined.scales) == [challenge**index for index in range(len(claims))]
    assert combined.terms(layout.stored_blocks).evaluate(point) == expected


@given(size=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_axis_vectors_are_what_they_are_called(size: int, seed: int) -> None:
    point = challenges(seed, axis_bits(size))
    explicit = challenges(seed, size)
    dense = {
        AxisVector.eq(point): eq(point)[:size],
        AxisVector.ones(): [Extension(1)] * size,
        AxisVector.one_hot(size // 2): [Extension(int(i == size // 2)) for i in range(size)],
        AxisVector.explicit(explicit): items(explicit),
    }
    for vector, expected in dense.items():
        assert items(vector.dense(size)) == expected
        assert vector.sum(size) == sum(expected, Extension(0))


@given(shape=shapes, seed=st.integers(0, 2**32))
def test_evaluation_of_a_tensor_is_its_definition(shape: Shape, seed: int) -> None:
    tensor = integers(seed, shape)
    weights = [challenges(seed + axis, size) for axis, size in enumerate(shape)]
    result = evaluate(BaseVector.from_array(tensor.reshape(-1)), shape, weights, Pool(1))
    assert result == inner(tensor, [items(vector) for vector in weights])


def test_a_point_splits_into_the_coordinates_of_its_axes() -> None:
    point = challenges(0, 5)
    parts = split_point(point, (4, 1, 5))
    assert [items(part) for part in parts] == [items(point[:2]), [], items(point[2:])]


def test_a_point_of_another_tensor_is_refused() -> None:
    layout = lay_out(system_of([(5,)]), 3)
    term = ProductTerm(Extension(1), 0, (AxisVector.eq(ExtensionVector([1])),))
    combined = combine([Claim(Extension(0), ClaimTerms([term]))], Extension(2))
    with pytest.raises(ValueError, match="shape"):
        combined.terms(layout.stored_blocks).evaluate(challenges(0, 3))
