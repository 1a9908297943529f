"""Rules for index maps, shared axes and expressions: each refuses a system that breaks exactly that rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.system.check import check, proven_ranges
from deepprove_dist.protocol.system.check_expressions import MAX_STEP
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.scale import MAX_AXES, Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Constant,
    Factor,
    Lookup,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Taps,
    Tensor,
    Term,
)
from tests.protocol.naive import whole
from tests.protocol.system.mapped_system import (
    CHANNELS,
    CONVOLUTION,
    COUNTS,
    GAIN,
    GAINS,
    INPUT,
    OUTPUT,
    PLACES,
    SIZE,
    SLIDE,
    STEP,
    SYSTEM,
    TAPS,
    WEIGHTS,
    W,
    X,
    Y,
    column,
    constant,
    convolution,
    covered,
    crossed,
    defined,
    linear,
    mapped,
    mirrored,
    of_defined_weights,
    of_taps,
    of_weights,
    over,
    product,
    without_range,
)
from tests.records import replace

FREE = len(SYSTEM.tensors)

BROKEN: dict[str, tuple[Callable[[], System], str]] = {
    "map below": (lambda: mapped(axes=(-1,)), "term on no axis"),
    "map nowhere": (lambda: mapped(axes=(3,)), "term on no axis"),
    "map on an axis twice": (lambda: mapped(axes=(1,), end=2), "follows an axis twice"),
    "map of samples": (
        lambda: linear(replace(OUTPUT, terms=(Term(1, X, (replace(SLIDE, axes=(0,)), 1, SLIDE)),))),
        "map of samples",
    ),
    "map places of samples": (
        lambda: linear(Affine((BATCH, TAPS), (Term(1, W, (IndexMap((0,), 0, 0), 1)),), ())),
        "map of samples",
    ),
    "map of samples over places": (
        lambda: linear(
            Affine((PLACES, CHANNELS, SIZE), (Term(1, X, (replace(SLIDE, axes=(0,)), 1, 2)),), ()),
        ),
        "map of samples",
    ),
    "map of negative taps": (lambda: mapped(taps=-1), "invalid map"),
    "map of negative stride": (lambda: mapped(stride=-1), "invalid map"),
    "map of negative dilation": (lambda: mapped(dilation=-1), "invalid map"),
    "map of too many taps": (lambda: mapped(taps=MAX_STEP + 1), "invalid map"),
    "map of too large a stride": (lambda: mapped(stride=MAX_STEP + 1), "invalid map"),
    "map of too large a dilation": (lambda: mapped(dilation=MAX_STEP + 1), "invalid map"),
    "map too far left": (lambda: mapped(offset=-MAX_STEP - 1), "invalid map"),
    "map too far right": (lambda: mapped(offset=MAX_STEP + 1), "invalid map"),
    "map from below its axis": (lambda: mapped(first=-1), "map outside its axes"),
    "map beyond its axis": (lambda: mapped(end=PLACES + 1), "map outside its axes"),
    "map from after its end": (lambda: mapped(first=3, end=2), "map outside its axes"),
    "list of fewer positions": (lambda: mapped(offset=(0, 1, 2), stride=0), "list that is not of its axes"),
    "list of more positions": (lambda: mapped(offset=(0,) * 5, stride=0), "list that is not of its axes"),
    "list with a stride": (lambda: mapped(offset=(0,) * PLACES), "list that is not of its axes"),
    "list with taps": (
        lambda: mapped(offset=(0,) * PLACES, stride=0, taps=2),
        "list that is not of its axes",
    ),
    "list with a dilation": (
        lambda: mapped(offset=(0,) * PLACES, stride=0, dilation=2),
        "list that is not of its axes",
    ),
    "list of some positions": (
        lambda: mapped(offset=(0,) * PLACES, stride=0, first=1),
        "list that is not of its axes",
    ),
    "list that ends early": (
        lambda: mapped(offset=(0,) * PLACES, stride=0, end=3),
        "list that is not of its axes",
    ),
    "list beyond its axis": (lambda: mapped(offset=(0, 1, SIZE, 2), stride=0), "list that leads outside"),
    "list below its axis": (lambda: mapped(offset=(0, 1, -2, 2), stride=0), "list that leads outside"),
    "list of scales that wrap": (
        lambda: mapped(offset=(0, 3, 3, -1), stride=0, scale=(1, 2, 3, MODULUS // 8 + 1)),
        "could wrap",
    ),
    "list of taps": (
        lambda: convolution(offset=(0,) * PLACES, stride=0),
        "taps with a list",
    ),
    "list of a constant": (lambda: covered(offset=(0,) * PLACES), "does more than cover"),
    "further axis without a map": (
        lambda: linear(Affine((BATCH, 1), (Term(1, COUNTS, (IndexMap((1,), 0, 1), 1)),), ())),
        "term of other axes",
    ),
    "further axis that is no cover": (
        lambda: linear(Affine((BATCH, 2, 40), (Term(1, COUNTS, (2, IndexMap((1,), 0, 2))),), ())),
        "term of other axes",
    ),
    "further axis that is followed": (
        lambda: linear(Affine((BATCH, 40), (Term(1, COUNTS, (1, IndexMap.covering((1,), 0, 2))),), ())),
        "follows an axis twice",
    ),
    "map of fewer scales": (lambda: mapped(scale=(1, 2, 3)), "map of other factors"),
    "map of more scales": (lambda: mapped(scale=(1,) * 5), "map of other factors"),
    "scale too large": (lambda: mapped(scale=(1, 2, 3, MODULUS)), "no field element"),
    "map that wraps by its scale": (lambda: mapped(scale=(1, 2, 3, MODULUS // 8 + 1)), "could wrap"),
    "map that wraps by its taps": (lambda: mapped(taps=1 << 24, scale=(1, 1, 1, 17)), "could wrap"),
    "map on a tensor without range": (
        lambda: without_range(linear(replace(OUTPUT, terms=(Term(1, FREE, (0, 1, SLIDE)),)))),
        "without a proven range",
    ),
    "constant below an axis": (lambda: constant((1, -1, 1)), "constant with a map outside its axes"),
    "constant beyond an axis": (
        lambda: constant((1, 0, CHANNELS + 1)),
        "constant with a map outside its axes",
    ),
    "constant from after its end": (lambda: constant((1, 1, 0)), "constant with a map outside its axes"),
    "constant on samples": (lambda: constant((0, 0, 0)), "constant with a map of samples"),
    "constant nowhere": (lambda: constant((3, 0, 1)), "constant on no axis"),
    "constant below": (lambda: constant((-1, 0, 1)), "constant on no axis"),
    "constant on an axis twice": (
        lambda: constant((1, 0, 1), (1, 0, 2)),
        "constant that follows an axis twice",
    ),
    "constant that covers with factors": (
        lambda: covered(scale=(1,) * PLACES),
        "does more than cover",
    ),
    "constant with a stride": (lambda: covered(stride=1), "does more than cover"),
    "constant with taps": (lambda: covered(taps=2), "does more than cover"),
    "constant with a dilation": (lambda: covered(dilation=2), "does more than cover"),
    "constant with an offset": (lambda: covered(offset=1), "does more than cover"),
    "constant too large": (lambda: constant((1, 0, 1), value=MODULUS), "no field element"),
    "constant that wraps": (lambda: constant((1, 0, 1), value=MODULUS - 1), "could wrap"),
    "linear relation on nothing": (
        lambda: linear(replace(OUTPUT, terms=(Term(1, FREE, (0, 1, 2)),))),
        "names no tensor",
    ),
    "definition by a multiple": (lambda: defined(Term(2, FREE, (0, 1, 2))), "without a proven range"),
    "definition by a part": (
        lambda: defined(Term(1, FREE, (0, 1, IndexMap((2,), 0, SIZE - 1)))),
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
        lambda: defined(Term(1, FREE, (0, 1, 2)), Term(1, W, (1, IndexMap((2,), 0, TAPS)))),
        "without a proven range",
    ),
    "definition by defined weights": (
        lambda: of_defined_weights(Term(1, FREE, (0, 1, 2)), Term(1, W, (1, IndexMap((2,), 0, TAPS)))),
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
        lambda: column(Affine((BATCH, CHANNELS, PLACES), (Term(1, COUNTS, (IndexMap((2,), 0, 4),)),), ())),
        "without a proven range",
    ),
    "product's factors too large": (lambda: convolution(scale=(1, 2, 3, MODULUS)), "no field element"),
    "product's map of fewer factors": (lambda: convolution(scale=(1, 2, 3)), "map of other factors"),
    "product's map from after its end": (lambda: convolution(first=3, end=2), "map outside its axes"),
    "product's map beyond its axis": (lambda: convolution(end=PLACES + 1), "map outside its axes"),
    "factor of no field element": (lambda: product(coefficient=-MODULUS), "no field element"),
    "product's map without taps": (lambda: convolution(taps=0), "invalid number of taps"),
    "product's map of negative taps": (lambda: convolution(taps=-3), "invalid number of taps"),
    "product's map of negative stride": (lambda: convolution(stride=-2), "invalid map"),
    "product's map of negative dilation": (lambda: convolution(dilation=-1), "invalid map"),
    "product's map of too large a stride": (lambda: convolution(stride=MAX_STEP + 1), "invalid map"),
    "product's map of too large a dilation": (
        lambda: convolution(dilation=MAX_STEP + 1),
        "invalid map",
    ),
    "product's map too far left": (lambda: convolution(offset=-MAX_STEP - 1), "invalid map"),
    "product's map too far right": (lambda: convolution(offset=MAX_STEP + 1), "invalid map"),
    "product's map over an output axis": (lambda: over(1), "taps over no axis"),
    "product's map below": (lambda: over(-1), "taps over no axis"),
    "product's map for a contracted axis": (lambda: convolution(axes=(3,)), "taps on no axis"),
    "product's map for no axis": (lambda: convolution(axes=(-1,)), "taps on no axis"),
    "product's map for samples": (lambda: convolution(axes=(0,)), "map of samples"),
    "product's map for a factor's axis": (
        lambda: convolution(axes=(1,), end=2),
        "two uses of an output axis",
    ),
    "two windows for one axis": (
        lambda: product(taps=CONVOLUTION.taps * 2),
        "an axis that two axes of taps meet",
    ),
    "two windows that follow one axis": (
        lambda: product(
            left=Factor(WEIGHTS, (1, 5)),
            contracted=(SIZE, SIZE),
            taps=(*CONVOLUTION.taps, replace(CONVOLUTION.taps[0], contracted=1)),
        ),
        "two uses of an output axis",
    ),
    "map of other taps": (lambda: convolution(taps=TAPS + 1), "axis of another size"),
    "taps in no factor": (
        lambda: product(left=Factor(Affine((CHANNELS, SIZE), (), (Constant(1),)), (1, 3))),
        "taps in no factor",
    ),
    "map in both factors": (
        lambda: product(right=Factor(of_taps(), (0, 1, 4))),
        "in no factor or in both",
    ),
    "map beside its axis": (
        lambda: product(left=Factor(Affine((CHANNELS, SIZE, TAPS), (Term(1, W, (0, 2)),), ()), (1, 3, 4))),
        "factors over different axes",
    ),
    "factor without the contracted axis": (
        lambda: product(left=Factor(WEIGHTS, (1, 5)), contracted=(SIZE, 2)),
        "factors over different axes",
    ),
    "contracted axes crossed": (crossed, "factors over different axes"),
    "shared axes after": (mirrored, "factors over different axes"),
    "output axis in no factor": (
        lambda: product(taps=(), left=Factor(Affine((CHANNELS, SIZE), (), (Constant(1),)), (1, 3))),
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
        "map outside its axes",
    ),
    "factor of no range": (
        lambda: without_range(product(right=Factor(whole(FREE, INPUT.space), (0, 1, 3)))),
        "without a proven range",
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
        lambda: mapped(taps=0),
        lambda: mapped(stride=0, dilation=0),
        lambda: mapped(stride=MAX_STEP, dilation=MAX_STEP, offset=-MAX_STEP),
        lambda: mapped(taps=1 << 24, scale=(1, 1, 1, 15)),
        lambda: mapped(first=2, end=2, scale=(-1, 0, 1, 2)),
        lambda: mapped(scale=(1, 2, 3, MODULUS // 8)),
        lambda: constant((1, 0, 0), (2, PLACES, PLACES), value=1000),
        lambda: constant((1, 0, 1), value=MODULUS - 1001),
        lambda: column(replace(STEP, constants=(Constant(MODULUS - 20 - 16),))),
        lambda: column(replace(STEP, constants=(Constant(19 + 16 - MODULUS),))),
        lambda: convolution(stride=0, dilation=0, offset=MAX_STEP),
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


@pytest.mark.parametrize(
    ("coefficient", "scale", "low", "high"),
    [(1, (), 0, 408), (-2, (), -816, 0), (1, (2, -1, 3, 1), -408, 1224)],
)
def test_a_product_of_the_witness_has_its_own_range(
    coefficient: int, scale: tuple[int, ...], low: int, high: int
) -> None:
    """8 indices and 3 taps of values in [2, 17], times a factor; what a window leaves out adds nothing."""
    left = Factor(Affine((CHANNELS, TAPS), (), (Constant(1),)), (1, 4))
    right = Factor(replace(INPUT, constants=(Constant(10),)), (0, 1, 3))
    (taps,) = CONVOLUTION.taps
    scaled = (replace(taps, map=replace(taps.map, scale=scale)),)
    system = product(coefficient=coefficient, left=left, right=right, taps=scaled)
    (relation,) = system.relations
    check(replace(system, relations=(replace(relation, low=low, high=high),)))
    for other in (replace(relation, low=low + 1, high=high), replace(relation, low=low, high=high - 1)):
        with pytest.raises(FormatError, match="range for weights that it has not"):
            check(replace(system, relations=(other,)))


class Compared(int):
    """A number whose comparisons are counted, and those of its products."""

    count = 0

    def __mul__(self, other: int) -> Compared:
        return Compared(int(self) * int(other))

    def __lt__(self, other: int) -> bool:
        Compared.count += 1
        return int(self) < int(other)

    def __gt__(self, other: int) -> bool:
        Compared.count += 1
        return int(self) > int(other)


def test_taps_with_long_scales_take_steps_that_are_linear_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of a product need the ends of each scale alone, not all products of factors."""
    monkeypatch.setattr(Compared, "count", 0)
    size = 1 << 8
    scale = tuple(map(Compared, (3, *(1,) * (size - 2), -2)))
    taps = tuple(Taps(axis, IndexMap((1 + axis,), 0, size, scale=scale)) for axis in range(2))
    left = Factor(Affine((1, 1), (), (Constant(1),)), (5, 6))
    right = Factor(whole(0, (BATCH, 1, 1)), (0, 3, 4))
    affine = Affine((BATCH, size, size), (), ())
    relation = Relation("taps", affine, (Product(1, (1, 1), taps, left, right),), -54, 72)
    public = PublicTensor("x", 0, (1, 1), -6, 8, Scale.of(1.0))
    system = System((Tensor("x", (BATCH, 1, 1), Matrix.WITNESS),), (public,), (public,), (), (relation,), ())
    check(system)
    assert size <= Compared.count <= 32 * size
    for other in (replace(relation, low=-53), replace(relation, high=71)):
        with pytest.raises(FormatError, match="range for weights that it has not"):
            check(replace(system, relations=(other,)))
