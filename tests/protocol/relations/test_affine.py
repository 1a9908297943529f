"""Expressions under weights are what their definition says, and so are their integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.kernels import AxisVector, AxisWeights, Extension, ExtensionVector, SpaceWeights
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.relations.affine import affine_terms
from deepprove_dist.protocol.system.evaluate import evaluate_affine
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.system import BATCH, Affine, Constant, Matrix, Tensor, Term, axis_bits
from tests.protocol.naive import Values, affine_values, challenges, claimed, eq, inner, integers, items
from tests.protocol.system.random_expressions import expressions, spaces, system_of


def random_values(tensors: list[Tensor], seed: int) -> Values:
    return {index: integers(seed + index, tensor.shape) for index, tensor in enumerate(tensors)}


def dense_weights(weights: AxisWeights) -> list[Extension]:
    """The weights of all indices, by definition."""
    if weights.point is not None:
        return eq(weights.point)[: weights.size]
    return items(weights.dense)


@st.composite
def axis_weights(draw: st.DrawFn, size: int) -> AxisWeights:
    seed = draw(st.integers(0, 2**32))
    if draw(st.booleans()):
        return AxisWeights(size, challenges(seed, axis_bits(size)))
    return AxisWeights(size, None, challenges(seed, size))


@settings(max_examples=150)
@given(data=st.data(), space=spaces, seed=st.integers(0, 2**32))
def test_integers_are_those_of_the_definition(data: st.DataObject, space: Shape, seed: int) -> None:
    tensors: list[Tensor] = []
    affine = data.draw(expressions(space, tensors))
    system, values = system_of(tensors), random_values(tensors, seed)
    result = evaluate_affine(system, affine, values)
    assert result.shape == space
    assert np.array_equal(result, affine_values(system, affine, values))
    flat = {index: array.reshape(-1) for index, array in values.items()}
    assert np.array_equal(result, evaluate_affine(system, affine, flat))


@settings(max_examples=100)
@given(data=st.data(), space=spaces, seed=st.integers(0, 2**32))
def test_terms_and_the_known_part_add_up_to_the_weighted_integers(
    data: st.DataObject, space: Shape, seed: int
) -> None:
    tensors: list[Tensor] = []
    affine = data.draw(expressions(space, tensors))
    system, values = system_of(tensors), random_values(tensors, seed)
    weights = [data.draw(axis_weights(size)) for size in space]
    scale = challenges(seed + 1, 1)[0]
    terms, known = affine_terms(system, affine, SpaceWeights(weights), scale)
    total = known + claimed(Claim(Extension(0), terms), system, lay_out(system, 4), values)
    expected = inner(affine_values(system, affine, values), [dense_weights(vector) for vector in weights])
    assert total == scale * expected


@settings(max_examples=100)
@given(data=st.data(), space=spaces, seed=st.integers(0, 2**32))
def test_the_range_bounds_the_witness(data: st.DataObject, space: Shape, seed: int) -> None:
    tensors: list[Tensor] = []
    affine = data.draw(expressions(space, tensors))
    system = system_of(tensors)
    ends = st.tuples(st.integers(-9, 9), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair)))
    ranges = {index: data.draw(ends) for index in range(len(tensors))}
    generator, values = np.random.default_rng(seed), {}
    for index, tensor in enumerate(tensors):
        values[index] = generator.choice(ranges[index], tensor.shape)
        if tensor.matrix is Matrix.WEIGHTS:
            values[index] *= 0
    low, high = affine_range(system, affine, ranges)
    result = affine_values(system, affine, values)
    assert low <= result.min()
    assert result.max() <= high


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_samples_are_one_more_axis(samples: int) -> None:
    window = IndexMap((1,), 0, 3, offset=-1, stride=2, taps=2, scale=(1, 2, 3))
    terms = (Term(2, 0, (0, window)), Term(-1, 1, (1,)))
    affine = Affine((BATCH, 3), terms, (Constant(4), Constant(5, (IndexMap.covering((1,), 1, 3),))))
    tensors = [Tensor("x", (BATCH, 4), Matrix.WITNESS), Tensor("b", (3,), Matrix.WEIGHTS)]
    system = system_of(tensors).for_batch(samples)
    x, bias = integers(1, (samples, 4)), integers(2, (3,))
    expected = (
        [[2 * 1 * int(row[0]), 2 * 2 * int(row[1] + row[2]), 2 * 3 * int(row[3])] for row in x]
        - bias
        + np.array([4, 9, 9])
    )
    batched = Affine((samples, 3), affine.terms, affine.constants)
    assert np.array_equal(evaluate_affine(system, batched, {0: x, 1: bias}), expected)
    assert np.array_equal(affine_values(system, batched, {0: x, 1: bias}), expected)


@given(size=st.integers(1, 9), seed=st.integers(0, 2**32), data=st.data())
def test_sums_of_weights(size: int, seed: int, data: st.DataObject) -> None:
    weights = data.draw(axis_weights(size))
    first = data.draw(st.integers(0, size))
    end = data.draw(st.integers(first, size))
    assert weights.sum(first, end) == sum(dense_weights(weights)[first:end], Extension(0))
    assert items(weights.dense) == dense_weights(weights)
    assert isinstance(weights.dense, ExtensionVector)
    assert isinstance(weights.vector, AxisVector)
    assert items(weights.vector.dense(size)) == dense_weights(weights)
