"""Rules for windows, shared axes and expressions: each refuses a system that breaks exactly that rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.relations.check import MAX_WINDOW, check, proven_ranges
from deepprove_dist.protocol.relations.ranges import affine_range
from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Constant,
    Convolution,
    Factor,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
    Window,
)
from deepprove_dist.protocol.scale import MAX_AXES, Scale
from deepprove_dist.protocol.table import Table
from tests.protocol.naive import whole

X, W, Y, GAIN, COUNTS = range(5)
CHANNELS, SIZE, TAPS, PLACES = 2, 8, 3, 4

SLIDE = Window(2, 1, 2, 1, 0, 0, PLACES)
INPUT, WEIGHTS = whole(X, (BATCH, CHANNELS, SIZE)), whole(W, (CHANNELS, TAPS))
OUTPUT, GAINS = (whole(tensor, (BATCH, CHANNELS, PLACES)) for tensor in (Y, GAIN))
STEP = Affine(
    OUTPUT.space,
    (Term(1, X, (0, 1, replace(SLIDE, offset=1))), Term(-1, X, (0, 1, SLIDE))),
    (Constant(3, ((2, 1, PLACES), (1, 0, 1))),),
)

CONVOLUTION = Product(
    1,
    (SIZE,),
    (Convolution(2, 0, TAPS, 2, 1, -1),),
    Factor(WEIGHTS, (1, 4)),
    Factor(INPUT, (0, 1, 3)),
)
"""Depthwise: output axes are samples, channels (shared) and places; then the contracted axis, the window."""

SYSTEM = System(
    tensors=(
        Tensor("x", INPUT.space, Matrix.WITNESS),
        Tensor("w", WEIGHTS.space, Matrix.WEIGHTS),
        Tensor("y", OUTPUT.space, Matrix.WITNESS),
        Tensor("gain", OUTPUT.space, Matrix.WITNESS),
        Tensor("counts of gains", (40,), Matrix.WITNESS),
    ),
    inputs=(PublicTensor("x", X, (CHANNELS, SIZE), -8, 7, Scale.of(1.0)),),
    outputs=(PublicTensor("y", Y, (CHANNELS, PLACES), -1000, 1000, Scale.of(1.0)),),
    tables=(LookupTable(-20, 40, Table.from_values(-20, np.maximum(np.arange(-20, 20), 0)), COUNTS),),
    relations=(Relation("convolution", OUTPUT, (CONVOLUTION,), -500, 500),),
    lookups=(Lookup(0, (STEP, GAINS)),),
)


def product(**changes: Any) -> System:
    relation = replace(SYSTEM.relations[0], products=(replace(CONVOLUTION, **changes),))
    return replace(SYSTEM, relations=(relation,))


def convolution(**changes: Any) -> System:
    return product(windows=(replace(CONVOLUTION.windows[0], **changes),))


def linear(affine: Affine) -> System:
    """A further relation, without products."""
    return replace(SYSTEM, relations=(*SYSTEM.relations, Relation("linear", affine, (), 0, 0)))


def window(**changes: Any) -> System:
    """A relation on x through a window."""
    return linear(replace(OUTPUT, terms=(Term(1, X, (0, 1, replace(SLIDE, **changes))),)))


def constant(*ranges: tuple[int, int, int], value: int = 1) -> System:
    return linear(replace(OUTPUT, constants=(Constant(value, ranges),)))


def column(affine: Affine) -> System:
    return replace(SYSTEM, lookups=(Lookup(0, (affine, GAINS)),))


def of_weights() -> Affine:
    weights = Term(1, W, (1, Window(2, 1, 1, 1, 0, 0, TAPS)))
    return replace(STEP, terms=(*STEP.terms, weights))


def of_taps() -> Affine:
    """x, of which as many places as a window has taps."""
    return Affine((BATCH, CHANNELS, TAPS), (Term(1, X, (0, 1, replace(SLIDE, end=TAPS))),), ())


def crossed() -> System:
    """Two contracted axes, of which one factor has the second first."""
    tensors = list(SYSTEM.tensors)
    tensors[X] = replace(tensors[X], shape=(BATCH, SIZE, SIZE))
    tensors[W] = replace(tensors[W], shape=(CHANNELS, SIZE, TAPS))
    left = Factor(whole(W, tensors[W].shape), (1, 3, 5))
    right = Factor(whole(X, tensors[X].shape), (0, 4, 3))
    square = Product(1, (SIZE, SIZE), (replace(CONVOLUTION.windows[0], contracted=1),), left, right)
    relation = replace(SYSTEM.relations[0], products=(square,))
    inputs = (replace(SYSTEM.inputs[0], shape=(SIZE, SIZE)),)
    return replace(SYSTEM, tensors=tuple(tensors), inputs=inputs, relations=(relation,), lookups=())


def mirrored() -> System:
    """Shared axes stand behind the contracted one in a factor."""
    tensors = list(SYSTEM.tensors)
    tensors[W] = replace(tensors[W], shape=(TAPS, CHANNELS))
    left = Factor(whole(W, (TAPS, CHANNELS)), (4, 1))
    return replace(product(left=left), tensors=tuple(tensors))


def without_range(system: System) -> System:
    """The system with two further tensors, which nothing bounds."""
    free = Tensor("free", INPUT.space, Matrix.WITNESS)
    return replace(system, tensors=(*system.tensors, free, free))


def defined(*terms: Term) -> System:
    """A linear relation on x and others, which may define one of them."""
    return without_range(linear(Affine(INPUT.space, (Term(-3, X, (0, 1, 2)), *terms), (Constant(5),))))


def of_defined_weights(*terms: Term) -> System:
    """As `defined`, behind a relation that says of all weights that they are 1."""
    ones = Relation("ones", replace(WEIGHTS, constants=(Constant(-1),)), (), -1, -1)
    system = defined(*terms)
    return replace(system, relations=(ones, *system.relations))


FREE = len(SYSTEM.tensors)

BROKEN: dict[str, tuple[Callable[[], System], str]] = {
    "window below": (lambda: window(axis=-1), "term on no axis"),
    "window nowhere": (lambda: window(axis=3), "term on no axis"),
    "window on an axis twice": (lambda: window(axis=1), "term of other axes"),
    "window over samples": (
        lambda: linear(
            replace(OUTPUT, terms=(Term(1, X, (replace(SLIDE, axis=0), 1, replace(SLIDE, axis=2))),))
        ),
        "window over samples",
    ),
    "window places of samples": (
        lambda: linear(Affine((BATCH, TAPS), (Term(1, W, (Window(0, 1, 1, 1, 0, 0, 0), 1)),), ())),
        "window over samples",
    ),
    "window of samples over places": (
        lambda: linear(
            Affine((PLACES, CHANNELS, SIZE), (Term(1, X, (replace(SLIDE, axis=0), 1, 2)),), ()),
        ),
        "window over samples",
    ),
    "window of negative taps": (lambda: window(taps=-1), "invalid window"),
    "window of negative stride": (lambda: window(stride=-1), "invalid window"),
    "window of negative dilation": (lambda: window(dilation=-1), "invalid window"),
    "window of too many taps": (lambda: window(taps=MAX_WINDOW + 1), "invalid window"),
    "window of too large a stride": (lambda: window(stride=MAX_WINDOW + 1), "invalid window"),
    "window of too large a dilation": (lambda: window(dilation=MAX_WINDOW + 1), "invalid window"),
    "window too far left": (lambda: window(offset=-MAX_WINDOW - 1), "invalid window"),
    "window too far right": (lambda: window(offset=MAX_WINDOW + 1), "invalid window"),
    "window from below its axis": (lambda: window(first=-1), "window outside its axis"),
    "window beyond its axis": (lambda: window(end=PLACES + 1), "window outside its axis"),
    "window from behind its end": (lambda: window(first=3, end=2), "window outside its axis"),
    "window of fewer scales": (lambda: window(scale=(1, 2, 3)), "window with other scales"),
    "window of more scales": (lambda: window(scale=(1,) * 5), "window with other scales"),
    "scale too large": (lambda: window(scale=(1, 2, 3, MODULUS)), "no field element"),
    "window that wraps by its scale": (lambda: window(scale=(1, 2, 3, MODULUS // 8 + 1)), "could wrap"),
    "window that wraps by its taps": (lambda: window(taps=1 << 24, scale=(1, 1, 1, 17)), "could wrap"),
    "window on a tensor without range": (
        lambda: without_range(linear(replace(OUTPUT, terms=(Term(1, FREE, (0, 1, SLIDE)),)))),
        "without a proven range",
    ),
    "constant below an axis": (lambda: constant((1, -1, 1)), "constant outside an axis"),
    "constant beyond an axis": (lambda: constant((1, 0, CHANNELS + 1)), "constant outside an axis"),
    "constant from behind its end": (lambda: constant((1, 1, 0)), "constant outside an axis"),
    "constant on samples": (lambda: constant((0, 0, 0)), "constant outside an axis"),
    "constant nowhere": (lambda: constant((3, 0, 1)), "constant on no axis"),
    "constant below": (lambda: constant((-1, 0, 1)), "constant on no axis"),
    "constant on an axis twice": (lambda: constant((1, 0, 1), (1, 0, 2)), "constant with an axis twice"),
    "constant too large": (lambda: constant((1, 0, 1), value=MODULUS), "no field element"),
    "constant that wraps": (lambda: constant((1, 0, 1), value=MODULUS - 1), "could wrap"),
    "linear relation on nothing": (
        lambda: linear(replace(OUTPUT, terms=(Term(1, FREE, (0, 1, 2)),))),
        "names no tensor",
    ),
    "definition by a multiple": (lambda: defined(Term(2, FREE, (0, 1, 2))), "without a proven range"),
    "definition by a window": (
        lambda: defined(Term(1, FREE, (0, 1, Window(2, 1, 1, 1, 0, 0, SIZE)))),
        "without a proven range",
    ),
    "definition of itself": (
        lambda: defined(Term(1, FREE, (0, 1, 2)), Term(-2, FREE, (0, 1, 2))),
        "without a proven range",
    ),
    "definition by another": (
        lambda: defined(Term(1, FREE, (0, 1, 2)), Term(1, FREE + 1, (0, 1, 2))),
        "without a proven range",
    ),
    "definition by weights": (
        lambda: defined(Term(1, FREE, (0, 1, 2)), Term(1, W, (1, Window(2, 1, 1, 1, 0, 0, TAPS)))),
        "without a proven range",
    ),
    "definition by defined weights": (
        lambda: of_defined_weights(Term(1, FREE, (0, 1, 2)), Term(1, W, (1, Window(2, 1, 1, 1, 0, 0, TAPS)))),
        "without a proven range",
    ),
    "definition that wraps": (
        lambda: defined(Term(1, FREE, (0, 1, 2)), Term(MODULUS // 15, X, (0, 1, 2))),
        "could wrap",
    ),
    "relation of too many axes": (
        lambda: linear(Affine((BATCH, *[1] * MAX_AXES), (), ())),
        "invalid index space",
    ),
    "column of weights": (lambda: column(of_weights()), "column that is not of the witness"),
    "column of other axes": (lambda: column(INPUT), "columns of a lookup differ in shape"),
    "column of no range": (
        lambda: without_range(column(replace(STEP, terms=(Term(1, FREE, (0, 1, SLIDE)),)))),
        "without a proven range",
    ),
    "column that wraps above": (
        lambda: column(replace(STEP, constants=(Constant(MODULUS - 20 - 15),))),
        "lookup's column could wrap",
    ),
    "column that wraps below": (
        lambda: column(replace(STEP, constants=(Constant(19 + 15 - MODULUS),))),
        "lookup's column could wrap",
    ),
    "result that wraps": (
        lambda: replace(
            SYSTEM,
            lookups=(*SYSTEM.lookups, Lookup(0, (STEP, replace(STEP, constants=(Constant(MODULUS - 15),))))),
        ),
        "lookup's column could wrap",
    ),
    "counts in a column": (
        lambda: column(
            Affine((BATCH, CHANNELS, PLACES), (Term(1, COUNTS, (Window(2, 1, 1, 1, 0, 0, 4),)),), ())
        ),
        "without a proven range",
    ),
    "factor of no field element": (lambda: product(coefficient=-MODULUS), "no field element"),
    "product's window without taps": (lambda: convolution(taps=0), "invalid window"),
    "product's window of negative taps": (lambda: convolution(taps=-3), "invalid window"),
    "product's window of negative stride": (lambda: convolution(stride=-2), "invalid window"),
    "product's window of negative dilation": (lambda: convolution(dilation=-1), "invalid window"),
    "product's window of too large a stride": (lambda: convolution(stride=MAX_WINDOW + 1), "invalid window"),
    "product's window of too large a dilation": (
        lambda: convolution(dilation=MAX_WINDOW + 1),
        "invalid window",
    ),
    "product's window too far left": (lambda: convolution(offset=-MAX_WINDOW - 1), "invalid window"),
    "product's window too far right": (lambda: convolution(offset=MAX_WINDOW + 1), "invalid window"),
    "product's window over an output axis": (lambda: convolution(contracted=1), "window over no axis"),
    "product's window below": (lambda: convolution(contracted=-1), "window over no axis"),
    "product's window for a contracted axis": (lambda: convolution(output=3), "window on no axis"),
    "product's window for no axis": (lambda: convolution(output=-1), "window on no axis"),
    "product's window for samples": (lambda: convolution(output=0), "window over samples"),
    "product's window for a factor's axis": (lambda: convolution(output=1), "two uses of an output axis"),
    "two windows for one axis": (
        lambda: product(windows=CONVOLUTION.windows * 2),
        "two uses of an output axis",
    ),
    "window of other taps": (lambda: convolution(taps=TAPS + 1), "axis of another size"),
    "window in no factor": (
        lambda: product(left=Factor(Affine((CHANNELS, SIZE), (), (Constant(1),)), (1, 3))),
        "window in no factor",
    ),
    "window in both factors": (
        lambda: product(right=Factor(of_taps(), (0, 1, 4))),
        "in no factor or in both",
    ),
    "window beside its axis": (
        lambda: product(left=Factor(Affine((CHANNELS, SIZE, TAPS), (Term(1, W, (0, 2)),), ()), (1, 3, 4))),
        "factors over different axes",
    ),
    "factor without the contracted axis": (
        lambda: product(left=Factor(WEIGHTS, (1, 5)), contracted=(SIZE, 2)),
        "factors over different axes",
    ),
    "contracted axes crossed": (crossed, "factors over different axes"),
    "shared axes behind": (mirrored, "factors over different axes"),
    "output axis in no factor": (
        lambda: product(windows=(), left=Factor(Affine((CHANNELS, SIZE), (), (Constant(1),)), (1, 3))),
        "output axis in no factor",
    ),
    "factor with an axis twice": (
        lambda: product(left=Factor(Affine((CHANNELS, CHANNELS, TAPS), (), ()), (1, 1, 4))),
        "factor with an axis twice",
    ),
    "factor of fewer axes": (lambda: product(left=Factor(WEIGHTS, (1,))), "factor of other axes"),
    "factor of another size": (
        lambda: product(left=Factor(Affine((CHANNELS, TAPS + 1), (), ()), (1, 4))),
        "axis of another size",
    ),
    "factor with a window outside": (
        lambda: product(
            right=Factor(replace(INPUT, terms=(Term(1, X, (0, 1, replace(SLIDE, end=SIZE + 1))),)), (0, 1, 3))
        ),
        "window outside its axis",
    ),
    "factor of no range": (
        lambda: without_range(product(right=Factor(whole(FREE, INPUT.space), (0, 1, 3)))),
        "without a proven range",
    ),
    "samples shared": (
        lambda: product(left=Factor(Affine((BATCH, CHANNELS, TAPS), (Term(1, W, (1, 2)),), ()), (0, 1, 4))),
        "shares the samples",
    ),
}


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)
    assert CONVOLUTION.shared(3) == (1,)
    ranges = proven_ranges(SYSTEM)
    assert ranges == {X: (-8, 7), Y: (-1000, 1000), GAIN: (0, 19)}
    assert affine_range(SYSTEM, STEP, ranges) == (-15, 18)


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_one_rule_is_refused(name: str) -> None:
    make, message = BROKEN[name]
    with pytest.raises(FormatError, match=message):
        check(make())


@pytest.mark.parametrize(
    "make",
    [
        lambda: window(taps=0),
        lambda: window(stride=0, dilation=0),
        lambda: window(stride=MAX_WINDOW, dilation=MAX_WINDOW, offset=-MAX_WINDOW),
        lambda: window(taps=1 << 24, scale=(1, 1, 1, 15)),
        lambda: window(first=2, end=2, scale=(-1, 0, 1, 2)),
        lambda: window(scale=(1, 2, 3, MODULUS // 8)),
        lambda: constant((1, 0, 0), (2, PLACES, PLACES), value=1000),
        lambda: constant((1, 0, 1), value=MODULUS - 1001),
        lambda: column(replace(STEP, constants=(Constant(MODULUS - 20 - 16),))),
        lambda: column(replace(STEP, constants=(Constant(19 + 16 - MODULUS),))),
        lambda: convolution(stride=0, dilation=0, offset=MAX_WINDOW),
        lambda: product(coefficient=1 - MODULUS),
    ],
)
def test_the_bounds_of_the_rules_are_exact(make: Callable[[], System]) -> None:
    check(make())


def test_an_expression_narrows_no_range() -> None:
    sliding = replace(STEP, terms=STEP.terms[:1], constants=())
    assert proven_ranges(column(sliding))[X] == (-8, 7)
    stored = replace(SYSTEM, lookups=(*SYSTEM.lookups, Lookup(0, (OUTPUT, GAINS))))
    assert proven_ranges(stored)[Y] == (-20, 19)


@pytest.mark.parametrize(("coefficient", "expected"), [(1, (-29, 16)), (-1, (-16, 29))])
def test_a_linear_relation_gives_what_it_defines_a_range(coefficient: int, expected: tuple[int, int]) -> None:
    system = defined(Term(coefficient, FREE, (0, 1, 2)))
    check(replace(system, tensors=system.tensors[: FREE + 1]))
    # coefficient * free = 3 x - 5, for x in [-8, 7].
    assert proven_ranges(system)[FREE] == expected


@pytest.mark.parametrize(("coefficient", "low", "high"), [(1, 0, 408), (-2, -816, 0)])
def test_a_product_of_the_witness_has_its_own_range(coefficient: int, low: int, high: int) -> None:
    """8 places and 3 taps of values in [2, 17]; what a window leaves out adds nothing."""
    left = Factor(Affine((CHANNELS, TAPS), (), (Constant(1),)), (1, 4))
    right = Factor(replace(INPUT, constants=(Constant(10),)), (0, 1, 3))
    made = product(coefficient=coefficient, left=left, right=right)
    (relation,) = made.relations
    check(replace(made, relations=(replace(relation, low=low, high=high),)))
    for other in (replace(relation, low=low + 1, high=high), replace(relation, low=low, high=high - 1)):
        with pytest.raises(FormatError, match="range for weights that it has not"):
            check(replace(made, relations=(other,)))
