"""A small valid system with index maps, taps and a shared axis, and what changes one thing in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Constant,
    Factor,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Taps,
    Tensor,
    Term,
)
from deepprove_dist.protocol.system.table import Table
from tests.protocol.naive import whole
from tests.records import replace

X, W, Y, GAIN, COUNTS = range(5)
CHANNELS, SIZE, TAPS, PLACES = 2, 8, 3, 4

SLIDE = IndexMap((2,), 0, PLACES, stride=2)
INPUT, WEIGHTS = whole(X, (BATCH, CHANNELS, SIZE)), whole(W, (CHANNELS, TAPS))
OUTPUT, GAINS = (whole(tensor, (BATCH, CHANNELS, PLACES)) for tensor in (Y, GAIN))
STEP = Affine(
    OUTPUT.space,
    (Term(1, X, (0, 1, replace(SLIDE, offset=1))), Term(-1, X, (0, 1, SLIDE))),
    (
        Constant(
            3,
            (
                IndexMap.covering((2,), 1, PLACES),
                IndexMap.covering((1,), 0, 1),
            ),
        ),
    ),
)

CONVOLUTION = Product(
    1,
    (SIZE,),
    (Taps(0, IndexMap((2,), 0, PLACES, offset=-1, stride=2, taps=TAPS)),),
    Factor(WEIGHTS, (1, 4)),
    Factor(INPUT, (0, 1, 3)),
)
"""Depthwise: output axes are samples, channels (shared) and places; then the contracted axis, the taps."""

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
    (taps,) = CONVOLUTION.taps
    return product(taps=(replace(taps, map=replace(taps.map, **changes)),))


def over(contracted: int) -> System:
    """The product's taps are over another contracted axis."""
    (taps,) = CONVOLUTION.taps
    return product(taps=(replace(taps, contracted=contracted),))


def linear(affine: Affine) -> System:
    """A further relation, without products."""
    return replace(SYSTEM, relations=(*SYSTEM.relations, Relation("linear", affine, (), 0, 0)))


def mapped(**changes: Any) -> System:
    """A relation on x through a map."""
    return linear(replace(OUTPUT, terms=(Term(1, X, (0, 1, replace(SLIDE, **changes))),)))


def covers(*ranges: tuple[int, int, int]) -> tuple[IndexMap, ...]:
    return tuple(IndexMap.covering((axis,), first, end) for axis, first, end in ranges)


def constant(*ranges: tuple[int, int, int], value: int = 1) -> System:
    return linear(replace(OUTPUT, constants=(Constant(value, covers(*ranges)),)))


def covered(**changes: Any) -> System:
    cover = replace(IndexMap.covering((2,), 0, PLACES), **changes)
    return linear(replace(OUTPUT, constants=(Constant(1, (cover,)),)))


def column(affine: Affine) -> System:
    return replace(SYSTEM, lookups=(Lookup(0, (affine, GAINS)),))


def of_weights() -> Affine:
    weights = Term(1, W, (1, IndexMap((2,), 0, TAPS)))
    return replace(STEP, terms=(*STEP.terms, weights))


def of_taps() -> Affine:
    """x, of which as many indices as there are taps."""
    return Affine((BATCH, CHANNELS, TAPS), (Term(1, X, (0, 1, replace(SLIDE, end=TAPS))),), ())


def crossed() -> System:
    """Two contracted axes, of which one factor has the second first."""
    tensors = list(SYSTEM.tensors)
    tensors[X] = replace(tensors[X], shape=(BATCH, SIZE, SIZE))
    tensors[W] = replace(tensors[W], shape=(CHANNELS, SIZE, TAPS))
    left = Factor(whole(W, tensors[W].shape), (1, 3, 5))
    right = Factor(whole(X, tensors[X].shape), (0, 4, 3))
    square = Product(1, (SIZE, SIZE), (replace(CONVOLUTION.taps[0], contracted=1),), left, right)
    relation = replace(SYSTEM.relations[0], products=(square,))
    inputs = (replace(SYSTEM.inputs[0], shape=(SIZE, SIZE)),)
    return replace(SYSTEM, tensors=tuple(tensors), inputs=inputs, relations=(relation,), lookups=())


def mirrored() -> System:
    """Shared axes stand after the contracted one in a factor."""
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
    """As `defined`, after a relation that says of all weights that they are 1."""
    ones = Relation("ones", replace(WEIGHTS, constants=(Constant(-1),)), (), -1, -1)
    system = defined(*terms)
    return replace(system, relations=(ones, *system.relations))
