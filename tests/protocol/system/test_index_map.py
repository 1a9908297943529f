"""Index maps say what their definition says, position by position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.kernels import (
    AxisWeights,
    Extension,
    ExtensionVector,
    Pool,
    ProductTerm,
    SpaceWeights,
    TensorShapes,
)
from deepprove_dist.protocol.relations.axis_weights import bind_taps, spread_taps
from deepprove_dist.protocol.system.index_map import IndexMap, followed, is_plain, positions
from deepprove_dist.protocol.system.system import Affine, Constant, Term
from tests.protocol.naive import challenges, items, map_matrix
from tests.protocol.system.random_expressions import index_lists, index_maps
from tests.records import replace

SPACE = (2, 3, 4)
IDENTITY = IndexMap((0, 1), 0, 6)


def pull_back(weights: SpaceWeights, axis: IndexMap, size: int) -> ExtensionVector:
    """The weights that a map leads to an axis of a tensor that has no other axes."""
    affine = Affine(tuple(axis.size for axis in weights), (Term(1, 0, (axis,)),), ())
    terms, known = affine.kernel.claim(weights, Extension(1), TensorShapes([(size,)]))
    (term,) = terms
    assert isinstance(term, ProductTerm)
    assert known == Extension(0)
    return term.axes[0].dense(size)


def covered(weights: SpaceWeights, cover: IndexMap) -> Extension:
    """What a constant 1 counts for where a map covers positions."""
    affine = Affine(tuple(axis.size for axis in weights), (), (Constant(1, (cover,)),))
    terms, known = affine.kernel.claim(weights, Extension(1), TensorShapes([]))
    assert len(terms) == 0
    return known


spaces = st.lists(st.integers(1, 4), min_size=1, max_size=2).map(tuple)


def test_what_is_followed() -> None:
    assert followed(2) == (2,)
    assert followed(IndexMap((2, 0), 0, 1)) == (2, 0)
    assert positions(SPACE, 2) == 4
    assert positions(SPACE, IndexMap((2, 0), 0, 1)) == 8
    assert IndexMap.joining((2, 0), SPACE) == IndexMap((2, 0), 0, 8)


@pytest.mark.parametrize(
    "changes",
    [
        {"axes": (0,)},
        {"axes": (0, 2)},
        {"first": 1},
        {"end": 5},
        {"offset": 1},
        {"offset": -1},
        {"stride": 0},
        {"stride": 2},
        {"taps": 0},
        {"taps": 2},
        {"scale": (1,) * 6},
    ],
)
def test_any_other_map_than_the_identity_is_not_plain(changes: dict[str, object]) -> None:
    assert is_plain(0, SPACE, 2)
    assert is_plain(IDENTITY, SPACE, 6)
    assert not is_plain(IDENTITY, SPACE, 5)
    assert not is_plain(replace(IDENTITY, **changes), SPACE, 6)


@pytest.mark.parametrize(
    "changes", [{"offset": 1}, {"stride": 1}, {"taps": 2}, {"dilation": 0}, {"scale": (1, 1, 1)}]
)
def test_a_cover_says_positions_alone(changes: dict[str, object]) -> None:
    cover = IndexMap.covering((0,), 1, 3)
    assert cover.is_cover
    assert not replace(cover, **changes).is_cover
    assert (map_matrix(cover, 1, 3) == [[[0, 1, 1]]]).all()


@st.composite
def drawn(draw: st.DrawFn) -> tuple[tuple[int, ...], IndexMap, int]:
    """A space, a map of all its axes, and the size of what the map leads to."""
    space = draw(spaces)
    count = int(np.prod(space))
    axes = tuple(draw(st.permutations(range(len(space)))))
    return space, draw(index_maps(axes, count)), draw(st.integers(1, 6))


@settings(max_examples=300)
@given(case=drawn())
def test_positions_inside_are_those_of_the_definition(case: tuple[tuple[int, ...], IndexMap, int]) -> None:
    space, axis, size = case
    ones = replace(axis, scale=())
    met = map_matrix(ones, size, positions(space, axis)).sum(axis=0)
    for tap in range(axis.taps):
        first, end = axis.inside(size, tap)
        assert [h for h, inside in enumerate(met[tap]) if inside] == list(range(first, end))
    assert axis.factors(positions(space, axis)) == [
        (axis.scale[h] if axis.scale else 1) if axis.first <= h < axis.end else 0
        for h in range(positions(space, axis))
    ]


@settings(max_examples=200)
@given(case=drawn(), seed=st.integers(0, 2**32))
def test_weights_are_the_sums_that_they_say(case: tuple[tuple[int, ...], IndexMap, int], seed: int) -> None:
    space, axis, size = case
    weights = SpaceWeights([AxisWeights(n, None, challenges(seed + k, n)) for k, n in enumerate(space)])
    e = items(AxisWeights.joined([weights[k] for k in axis.axes]).dense)
    matrix = map_matrix(axis, size, len(e))
    s = [
        [sum((e[h] * int(matrix[x, i, h]) for h in range(len(e))), Extension(0)) for i in range(axis.taps)]
        for x in range(size)
    ]
    pulled = [sum(row, Extension(0)) for row in s]
    assert items(pull_back(weights, axis, size)) == pulled
    v, w = challenges(seed + 8, size), challenges(seed + 9, axis.taps)
    taps = [sum((s[x][i] * v[x] for x in range(size)), Extension(0)) for i in range(axis.taps)]
    assert items(bind_taps(weights, axis, v, (1, size, 1), Pool(1))) == taps
    spread = [sum((s[x][i] * w[i] for i in range(axis.taps)), Extension(0)) for x in range(size)]
    assert items(spread_taps(weights, axis, size, AxisWeights(axis.taps, None, w)).dense) == spread


@given(data=st.data(), space=spaces, size=st.integers(1, 6))
def test_lists_say_what_they_list(data: st.DataObject, space: tuple[int, ...], size: int) -> None:
    count, axes = int(np.prod(space)), tuple(range(len(space)))
    axis = data.draw(index_lists(axes, count, size))
    assert isinstance(axis.offset, tuple)
    weights = SpaceWeights([AxisWeights(n, None, challenges(k, n)) for k, n in enumerate(space)])
    e = AxisWeights.joined(list(weights)).dense
    matrix = map_matrix(axis, size, count).sum(axis=1)
    pulled = [sum((e[h] * int(row[h]) for h in range(count)), Extension(0)) for row in matrix]
    assert items(pull_back(weights, axis, size)) == pulled
    present = [h for first, end in axis.runs(size) for h in range(first, end)]
    assert present == [h for h, index in enumerate(axis.offset) if index >= 0]


@given(indices=st.lists(st.integers(-1, 5), min_size=1, max_size=6).map(tuple))
def test_a_list_that_is_arithmetic_is_none(indices: tuple[int, ...]) -> None:
    axis = IndexMap.listing((0,), indices)
    written = IndexMap((0,), 0, len(indices), indices, 0)
    assert np.array_equal(map_matrix(axis, 6, len(indices)), map_matrix(written, 6, len(indices)))
    assert axis.runs(6) == written.runs(6)


@pytest.mark.parametrize(
    "indices", [(0, 1, 2), (-1, 3, 4), (2, 4, -1), (1, 1), (-1, 2, -1), (-1, -1), (-1, 0, 0, -1)]
)
def test_short_forms_have_no_list(indices: tuple[int, ...]) -> None:
    assert IndexMap.listing((0,), indices).listed is None


def test_a_cover_has_the_weights_of_its_positions() -> None:
    weights = SpaceWeights(
        [AxisWeights(4, challenges(1, 2)), AxisWeights(3, None, ExtensionVector([1, 2, 3]))]
    )
    assert covered(weights, IndexMap.covering((1,), 1, 3)) == Extension(5)
    cover = IndexMap.covering((0, 1), 2, 11)
    assert covered(weights, cover) == pull_back(weights, cover, 1)[0]
