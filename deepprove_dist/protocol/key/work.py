"""What a key costs its verifier, in steps of about 0.1 microseconds, whatever the proof says.

A key of a few bytes can refer to a tensor of many blocks many times, or to a long axis through a map. Each
such thing is counted as it was measured. Relations, terms and axes cost Python's calls. Blocks and pieces
cost the kernels' work. Explicit weights cost the memory that they take too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.lookup.tree import LeafLayout, StoredRow
from deepprove_dist.protocol.parameters import Schedule
from deepprove_dist.protocol.relations.axis_weights import closed_form
from deepprove_dist.protocol.system.index_map import Axis, IndexMap, followed, is_plain, positions
from deepprove_dist.protocol.system.system import Affine, Product, System, Term

MAX_WORK = 8 << 20
"""Steps that a key may cost: 0.8 s. For images of 224 x 224 ResNet-50 takes a thirtieth."""

STATEMENT = 256
"""Of a relation, a product or a lookup: reading it, and making claims of it."""
AXIS = 64
"""Of a relation's point, or a product's: its coordinates and their weights."""
TERM = 64
CONSTANT = 32
RANGE = 16
"""Of a constant."""
INDEX = 512
"""Of a public index: both of its constants are made for each statement."""
PASSED_AXIS = 2
"""Of an expression, for each of its terms and constants: a factor of their coefficient."""
LEAF_BLOCK = 64
EXPLICIT_WEIGHT = 4
"""An explicit weight: an element of the extension, computed, sliced and multiplied, in 90 bytes of memory."""
VALUES_A_STEP = 8
"""Elements that a kernel multiplies in one step: explicit weights in a block, or a vector sent at a query."""
PIECES_A_STEP = 4
"""Of a table's function, which a kernel evaluates; no key holds so many that they matter much."""
COLUMN = 16
"""Of a committed matrix, whose powers of an out-of-domain point are added up."""


def work(system: System, layout: Layout, leaves: LeafLayout) -> int:
    """The steps that checking a proof takes at most, for a fixed number of samples; see `MAX_WORK`."""
    return (
        sum(_relation_work(system, layout))
        + sum(_index_work(system))
        + sum(_lookup_work(system, layout))
        + LEAF_BLOCK * sum(len(row.blocks) for row in leaves.rows if isinstance(row, StoredRow))
        + sum(_table_work(system))
    )


def opening_work(schedule: Schedule) -> int:
    """The steps of the opening beside those that grow with a proof's bytes alone."""
    initial = schedule.initial
    final = schedule.codes[-1].queries << schedule.final_log
    # The masked vector's random rows are a polynomial, evaluated at each query.
    tail = initial.queries * initial.random_rows
    return COLUMN * initial.columns + (final + tail) // VALUES_A_STEP


def _relation_work(system: System, layout: Layout) -> Iterator[int]:
    for relation in system.relations:
        space = relation.affine.space
        yield STATEMENT + AXIS * len(space) + _expression_work(system, layout, relation.affine, ())
        for product in relation.products:
            yield STATEMENT + _product_work(system, layout, product, space)


def _product_work(system: System, layout: Layout, product: Product, space: Shape) -> int:
    steps = AXIS * (len(space) + len(product.contracted) + len(product.taps))
    for taps in product.taps:
        # Spreading meets each tap at each position, and each index for each tap; all of them are listed.
        count, size = positions(space, taps.map), product.contracted[taps.contracted]
        steps += (count + size) * taps.map.taps + _joining_work(space, taps.map, ())
        steps += EXPLICIT_WEIGHT * (count + size + taps.map.taps)
    met = {len(space) + taps.contracted for taps in product.taps}
    for factor in (product.left, product.right):
        explicit = [index for index, axis in enumerate(factor.axes) if axis in met]
        steps += _expression_work(system, layout, factor.value, explicit)
    return steps


def _lookup_work(system: System, layout: Layout) -> Iterator[int]:
    for lookup in system.lookups:
        yield STATEMENT + AXIS * len(lookup.columns[0].space)
        for column in lookup.columns:
            yield _expression_work(system, layout, column, ())


def _index_work(system: System) -> Iterator[int]:
    """The two constants of each public index, and the covers of each axis."""
    for item in system.arg_maxima:
        axes = len(system.tensors[item.scores].shape)
        rows = prod(system.tensors[item.largest].shape)
        yield rows * (INDEX + 2 * (PASSED_AXIS + RANGE) * axes)


def _table_work(system: System) -> Iterator[int]:
    for table in system.tables:
        if table.function is not None:
            yield -(-len(table.function.pieces) // PIECES_A_STEP)


def _expression_work(system: System, layout: Layout, affine: Affine, explicit: Sequence[int]) -> int:
    """An expression under one weight vector an axis, those of the axes `explicit` one by one."""
    passed = PASSED_AXIS * len(affine.space)
    listed = sum(affine.space[axis] for axis in explicit)
    steps = EXPLICIT_WEIGHT * listed
    for constant in affine.constants:
        steps += CONSTANT + passed + RANGE * len(constant.within) + listed
        steps += sum(_joining_work(affine.space, cover, explicit) for cover in constant.within)
    for term in affine.terms:
        steps += TERM + passed + _term_work(system, layout, affine, term, explicit)
    # The weights of an axis are made once, for all terms that follow it alone by maps.
    mapped = {followed(axis) for term in affine.terms for axis in _mapped(system, affine, term)}
    return steps + sum(EXPLICIT_WEIGHT * affine.space[axes[0]] for axes in mapped if len(axes) == 1)


def _mapped(system: System, affine: Affine, term: Term) -> Iterator[IndexMap]:
    """The maps that the axes of its tensor follow others by, but for those that change nothing."""
    for axis, size in zip(term.axes, system.tensors[term.tensor].shape, strict=False):
        if isinstance(axis, IndexMap) and not is_plain(axis, affine.space, size):
            yield axis


def _term_work(system: System, layout: Layout, affine: Affine, term: Term, explicit: Sequence[int]) -> int:
    """Each block of the tensor along each axis; axes without a closed form position by position.

    A map costs the weights of its axes, and the tensor's indices that they are pulled back to. Joined axes
    cost the products of their weights, where these have no closed form. Maps beside the tensor's axes cost
    ranges of weights, as those of constants do.
    """
    shape = system.tensors[term.tensor].shape
    beside = term.beside(shape)
    steps, listed = RANGE * len(beside), list[int]()
    steps += sum(affine.space[k] for cover in beside for k in cover.axes if k in explicit)
    steps += sum(_joining_work(affine.space, cover, explicit) for cover in beside)
    for index, (axis, size) in enumerate(zip(term.axes, shape, strict=False)):
        steps += _joining_work(affine.space, axis, explicit)
        plain = is_plain(axis, affine.space, size)
        if not isinstance(axis, int) and not plain:
            count = positions(affine.space, axis)
            # At positions that count as 0, taps are visited too. Joined axes have weights for this map alone.
            steps += count * axis.taps + EXPLICIT_WEIGHT * size
            steps += EXPLICIT_WEIGHT * count if len(axis.axes) > 1 else 0
        if not plain or not _has_closed_form(affine.space, axis, explicit):
            listed.append(index)
    blocks = layout.blocks[term.tensor]
    if blocks:
        spans = layout.spans[term.tensor]
        steps += len(blocks) * len(term.axes) + sum(spans[index] for index in listed) // VALUES_A_STEP
    return steps


def _joining_work(space: Shape, axis: Axis, explicit: Sequence[int]) -> int:
    """The weights of joined axes: Python's calls for each axis, and their products, one by one."""
    axes = followed(axis)
    if len(axes) == 1:
        return 0
    listed = 0 if _has_closed_form(space, axis, explicit) else 2 * EXPLICIT_WEIGHT * positions(space, axis)
    return AXIS * len(axes) + listed


def _has_closed_form(space: Shape, axis: Axis, explicit: Sequence[int]) -> bool:
    """Whether the weights along an axis, or joined ones, are eq of one point."""
    axes = followed(axis)
    return set(axes).isdisjoint(explicit) and closed_form([space[k] for k in axes])
