"""Rules for maps of several axes, joined: each refuses a system that breaks exactly that rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import AxisWeights, ExtensionVector
from deepprove_dist.protocol.system.check import check, proven_ranges
from deepprove_dist.protocol.system.digits import covers_once
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Constant,
    Factor,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Taps,
    Tensor,
    Term,
)
from tests.protocol.naive import challenges, items, whole
from tests.records import replace

X, Y, W, V = range(4)
SPACE = (BATCH, 2, 3)
CUT = Affine(SPACE, (Term(1, Y, (0, 1, 2)), Term(-1, X, (0, IndexMap((2, 1), 0, 6)))), ())
"""y[i, j] = x[2 j + i]."""

CONVOLUTION = Product(
    1,
    (6,),
    (Taps(0, IndexMap((1, 2), 0, 6, taps=2)),),
    Factor(whole(W, (2,)), (4,)),
    Factor(whole(X, (BATCH, 6)), (0, 3)),
)
"""Outputs (i, j) are the positions 3 i + j of a map of two taps over x."""

SYSTEM = System(
    tensors=(
        Tensor("x", (BATCH, 6), Matrix.WITNESS),
        Tensor("y", SPACE, Matrix.WITNESS),
        Tensor("w", (2,), Matrix.WEIGHTS),
        Tensor("v", SPACE, Matrix.WITNESS),
    ),
    inputs=(PublicTensor("x", X, (6,), -8, 7, Scale.of(1.0)),),
    outputs=(
        PublicTensor("y", Y, (2, 3), -8, 7, Scale.of(1.0)),
        PublicTensor("v", V, (2, 3), -99, 99, Scale.of(1.0)),
    ),
    tables=(),
    relations=(
        Relation("cut", CUT, (), 0, 0),
        Relation("convolution", whole(V, SPACE), (CONVOLUTION,), -99, 99),
    ),
    lookups=(),
)


def cut_by(affine: Affine) -> System:
    """The system with another first relation."""
    return replace(SYSTEM, relations=(replace(SYSTEM.relations[0], affine=affine), SYSTEM.relations[1]))


def following(*axes: Axis) -> System:
    """x follows these axes in the first relation."""
    terms = (CUT.terms[0], replace(CUT.terms[1], axes=axes))
    return cut_by(replace(CUT, terms=terms))


def constant(axes: tuple[int, ...], first: int, end: int, *more: tuple[int, int, int]) -> System:
    covers = [IndexMap.covering(axes, first, end)]
    covers += [IndexMap.covering((axis,), *ends) for axis, *ends in more]
    return cut_by(replace(CUT, constants=(Constant(1, tuple(covers)),)))


def convolution(*output: int, end: int = 6) -> System:
    taps = (Taps(0, IndexMap(output, 0, end, taps=2)),)
    relation = replace(SYSTEM.relations[1], products=(replace(CONVOLUTION, taps=taps),))
    return replace(SYSTEM, relations=(SYSTEM.relations[0], relation))


def joined(*axes: int, end: int = 6) -> IndexMap:
    return IndexMap(axes, 0, end)


BROKEN: dict[str, tuple[Callable[[], System], str]] = {
    "no axis": (lambda: following(0, joined(end=1)), "map of nothing"),
    "an axis twice": (lambda: following(0, joined(1, 1)), "follows an axis twice"),
    "an axis twice in a term": (lambda: following(joined(1, 2), joined(2, 1)), "follows an axis twice"),
    "an axis that there is not": (lambda: following(0, joined(1, 3)), "term on no axis"),
    "a negative axis": (lambda: following(0, joined(1, -1)), "term on no axis"),
    "the samples": (lambda: following(joined(0, 2), 1), "map of samples"),
    "the samples alone": (lambda: following(joined(0, end=0), 1), "map of samples"),
    "one axis of another size": (lambda: following(0, 2), "axis of another size"),
    "map beyond joined axes": (lambda: following(0, joined(1, 2, end=7)), "map outside its axes"),
    "constant on an axis twice": (lambda: constant((1, 2), 0, 6, (1, 0, 1)), "follows an axis twice"),
    "constant on an axis joined twice": (lambda: constant((1, 1), 0, 4), "follows an axis twice"),
    "constant beyond joined axes": (lambda: constant((1, 2), 0, 7), "constant with a map outside its axes"),
    "constant on nothing": (lambda: constant((), 0, 1), "constant with a map of nothing"),
    "constant on joined samples": (lambda: constant((0, 1), 0, 0), "constant with a map of samples"),
    "output of nothing": (lambda: convolution(end=1), "taps with a map of nothing"),
    "output of joined samples": (lambda: convolution(0, 1, 2), "taps with a map of samples"),
    "output of an axis twice": (lambda: convolution(1, 1, 2), "taps that follow an axis twice"),
    "output on no axis": (lambda: convolution(1, 3), "taps on no axis"),
    "an output axis in nothing": (lambda: convolution(1, end=2), "output axis in no factor"),
}


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)
    check(following(0, joined(1, 2, end=5)))
    check(constant((1, 2), 0, 6))


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_one_rule_is_refused(name: str) -> None:
    make, message = BROKEN[name]
    with pytest.raises(FormatError, match=message):
        check(make())


def test_a_tensor_that_covers_the_places_once_is_defined() -> None:
    """Its range follows from the relation's other terms, also under joined axes."""
    tensors = (*SYSTEM.tensors, Tensor("z", (BATCH, 6), Matrix.WITNESS))
    affine = replace(CUT, terms=(CUT.terms[0], replace(CUT.terms[1], tensor=4)))
    system = replace(SYSTEM, tensors=tensors, relations=(Relation("z", affine, (), 0, 0),))
    assert proven_ranges(system)[4] == (-8, 7)


@pytest.mark.parametrize(
    ("axes", "space", "covered"),
    [
        ((0, IndexMap((2, 1), 0, 6)), SPACE, True),
        ((IndexMap((2, 1), 0, 6), 0), SPACE, True),
        ((0, 1, 2), (*SPACE, 1), True),
        ((0, joined(1, 2)), (*SPACE, 2), False),
        ((0, 1), SPACE, False),
        ((0, joined(1, 2)), SPACE, True),
        ((0, joined(1, 2, end=5)), SPACE, False),
        ((0, IndexMap((1, 2), 1, 6)), SPACE, False),
        ((0, IndexMap((1, 2), 0, 6, offset=1)), SPACE, False),
        ((0, IndexMap((1, 2), 0, 6, stride=0)), SPACE, False),
        ((0, IndexMap((1, 2), 0, 6, stride=2)), SPACE, False),
        ((0, IndexMap((1, 2), 0, 6, taps=0)), SPACE, False),
        ((0, IndexMap((1, 2), 0, 6, taps=2)), SPACE, False),
        ((0, IndexMap((1, 2), 0, 6, scale=(1,) * 6)), SPACE, False),
    ],
)
def test_which_terms_cover_all_places_once(
    axes: tuple[Axis, ...], space: tuple[int, ...], covered: bool
) -> None:
    shape = tuple(space[axis] if isinstance(axis, int) else 6 for axis in axes)
    assert covers_once(space, Term(1, X, axes), shape) is covered


@pytest.mark.parametrize("sizes", [(2, 3), (3, 2), (5, 4, 2), (1, 8), (3, 1, 5), (4,)])
@pytest.mark.parametrize("explicit", [False, True])
def test_joined_weights_are_all_products(sizes: tuple[int, ...], explicit: bool) -> None:
    axes = [
        AxisWeights(size, None, challenges(k, size))
        if explicit
        else AxisWeights(size, challenges(k, (size - 1).bit_length()))
        for k, size in enumerate(sizes)
    ]
    joined = AxisWeights.joined(axes)
    expected = [ExtensionVector([1])[0]]
    for vector in axes:
        expected = [first * second for first in expected for second in items(vector.dense)]
    assert joined.size == len(expected)
    assert items(joined.dense) == expected
    # A closed form wherever there is one.
    powers_of_two = all(size & (size - 1) == 0 for size in sizes[1:])
    assert (joined.point is not None) == (powers_of_two and not explicit)
    assert items(joined.vector.dense(joined.size)) == expected
