"""Rules for axes that follow several axes, joined: each refuses a system that breaks exactly that rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import ExtensionVector
from deepprove_dist.protocol.relations.affine import AxisWeights
from deepprove_dist.protocol.relations.check import check, proven_ranges
from deepprove_dist.protocol.relations.determinism import covers_once
from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Constant,
    Convolution,
    Factor,
    Followed,
    Joined,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
    Window,
)
from deepprove_dist.protocol.scale import Scale
from tests.protocol.naive import challenges, items, whole

X, Y, W, V = range(4)
SPACE = (BATCH, 2, 3)
CUT = Affine(SPACE, (Term(1, Y, (0, 1, 2)), Term(-1, X, (0, Joined((2, 1))))), ())
"""y[i, j] = x[2 j + i]."""

CONVOLUTION = Product(
    1,
    (6,),
    (Convolution(Joined((1, 2)), 0, 2, 1, 1, 0),),
    Factor(whole(W, (2,)), (4,)),
    Factor(whole(X, (BATCH, 6)), (0, 3)),
)
"""Places (i, j) are the places 3 i + j of a window of two taps over x."""

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


def following(*axes: Followed | Window) -> System:
    """x follows these axes in the first relation."""
    terms = (CUT.terms[0], replace(CUT.terms[1], axes=axes))
    return cut_by(replace(CUT, terms=terms))


def constant(axis: Followed, first: int, end: int, *more: tuple[Followed, int, int]) -> System:
    return cut_by(replace(CUT, constants=(Constant(1, ((axis, first, end), *more)),)))


def convolution(output: Followed) -> System:
    windows = (replace(CONVOLUTION.windows[0], output=output),)
    relation = replace(SYSTEM.relations[1], products=(replace(CONVOLUTION, windows=windows),))
    return replace(SYSTEM, relations=(SYSTEM.relations[0], relation))


def slide(axis: Followed, end: int) -> Window:
    return Window(axis, 1, 1, 1, 0, 0, end)


BROKEN: dict[str, tuple[Callable[[], System], str]] = {
    "one axis": (lambda: following(0, Joined((1,))), "joins fewer than two"),
    "no axis": (lambda: following(0, Joined(())), "joins fewer than two"),
    "an axis twice": (lambda: following(0, Joined((1, 1))), "term of other axes"),
    "an axis twice in a term": (lambda: following(Joined((1, 2)), Joined((2, 1))), "term of other axes"),
    "an axis that there is not": (lambda: following(0, Joined((1, 3))), "term on no axis"),
    "a negative axis": (lambda: following(0, Joined((1, -1))), "term on no axis"),
    "the samples": (lambda: following(Joined((0, 2)), 1), "joins the samples"),
    "sizes that multiply to another": (lambda: following(Joined((1, 2)), 0), "axis of another size"),
    "window on one axis": (lambda: following(0, slide(Joined((1,)), 2)), "joins fewer than two"),
    "window over samples": (lambda: following(slide(Joined((0, 2)), 0), 1), "joins the samples"),
    "window beyond joined axes": (lambda: following(0, slide(Joined((1, 2)), 7)), "window outside its axis"),
    "constant on an axis twice": (lambda: constant(Joined((1, 2)), 0, 6, (1, 0, 1)), "an axis twice"),
    "constant beyond joined axes": (lambda: constant(Joined((1, 2)), 0, 7), "constant outside an axis"),
    "constant on one joined axis": (lambda: constant(Joined((1,)), 0, 1), "joins fewer than two"),
    "constant on joined samples": (lambda: constant(Joined((0, 1)), 0, 0), "joins the samples"),
    "output of one joined axis": (lambda: convolution(Joined((1,))), "joins fewer than two"),
    "output of joined samples": (lambda: convolution(Joined((0, 1, 2))), "joins the samples"),
    "output of an axis twice": (lambda: convolution(Joined((1, 1, 2))), "joins an axis twice"),
    "output on no axis": (lambda: convolution(Joined((1, 3))), "window on no axis"),
    "an output axis in nothing": (lambda: convolution(1), "output axis in no factor"),
}


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)
    check(following(0, slide(Joined((1, 2)), 6)))
    check(constant(Joined((1, 2)), 0, 6))


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
        ((0, Joined((2, 1))), SPACE, True),
        ((Joined((2, 1)), 0), SPACE, True),
        ((0, 1, 2), (*SPACE, 1), True),
        ((0, Joined((1, 2))), (*SPACE, 2), False),
        ((0, 1), SPACE, False),
        ((0, slide(Joined((1, 2)), 6)), SPACE, False),
    ],
)
def test_which_terms_cover_all_places_once(
    axes: tuple[Followed | Window, ...], space: tuple[int, ...], covered: bool
) -> None:
    assert covers_once(space, Term(1, X, axes)) is covered


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
    for own in axes:
        expected = [first * second for first in expected for second in items(own.dense)]
    assert joined.size == len(expected)
    assert items(joined.dense) == expected
    # A closed form wherever there is one.
    powers_of_two = all(size & (size - 1) == 0 for size in sizes[1:])
    assert (joined.point is not None) == (powers_of_two and not explicit)
    assert items(joined.vector.dense(joined.size)) == expected
