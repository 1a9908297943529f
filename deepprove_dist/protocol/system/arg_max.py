"""Public arguments of maxima: for each row of scores x the index t of the largest, of equal ones the first.

For public t a proof commits the row's largest score m, and the margin d_j of each score:

    (order)      m - x_j - d_j = [j < t]      for all j,    0 <= d_j < M by a lookup;
    (selection)  sum_j [j = t] d_j = 0.

So d_t = 0 and m = x_t. Then x_t - x_j = d_j + [j < t]: no score is larger, and none before t is as large.

The brackets are functions of the statement alone. A verifier evaluates their extensions: they are constants
of two relations, which `with_indices` puts in once the statement is known. A key has the relations without
them.

That is the only t, modulo p too. Let t < t' both fit. At t' for t, and at t for t':

    x_t - x_t' = d,    x_t' - x_t = d' + 1,    so d + d' = -1 modulo p, with 0 <= d + d' <= 2 M - 2.

This cannot be if 2 M - 2 < p - 1. Bounds of scores take no part.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from itertools import product

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.system.check_expressions import require
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import (
    Affine,
    ArgMax,
    Constant,
    Factor,
    Matrix,
    Product,
    Relation,
    System,
    Term,
)
from deepprove_dist.protocol.system.table import Interval


def order_relation(name: str, space: Shape, scores: int, largest: int, margin: int) -> Relation:
    """The order of scores over (BATCH, *rows, n), without its bracket."""
    every = tuple(range(len(space)))
    terms = (Term(1, largest, every[:-1]), Term(-1, scores, every), Term(-1, margin, every))
    return Relation(name, Affine(space, terms, ()), (), 0, 0)


def selection_relation(name: str, space: Shape, margin: int) -> Relation:
    """The selection of margins over (BATCH, *rows, n), whose bracket is 0 still."""
    every = tuple(range(len(space)))
    margins = Affine(space, (Term(1, margin, every),), ())
    chosen = Product(1, space[-1:], (), Factor(Affine(space, (), ()), every), Factor(margins, every))
    return Relation(name, Affine(space[:-1], (), ()), (chosen,), 0, 0)


def with_indices(system: System, outputs: Mapping[str, BaseVector]) -> System:
    """The system of a statement: with the brackets of its indices.

    `outputs` are field elements in row-major order, by name, in the ranges of the system's outputs. The
    system has a number of samples.
    """
    relations = list(system.relations)
    for item in system.arg_maxima:
        rows = system.tensors[item.largest].shape
        data = bytes(outputs[system.outputs[item.output].name])
        indices = list(zip(_positions(rows), struct.unpack(f"<{len(data) // 4}I", data), strict=True))
        order, selection = relations[item.order], relations[item.selection]
        before = tuple(Constant(-1, (*row, _cover(len(rows), 0, t))) for row, t in indices if t > 0)
        relations[item.order] = replace(order, affine=replace(order.affine, constants=before))
        chosen = tuple(Constant(1, (*row, _cover(len(rows), t, t + 1))) for row, t in indices)
        (part,) = selection.products
        left = replace(part.left, value=replace(part.left.value, constants=chosen))
        relations[item.selection] = replace(selection, products=(replace(part, left=left),))
    return replace(system, relations=tuple(relations))


def _positions(sizes: Shape) -> Iterator[tuple[IndexMap, ...]]:
    """Covers of each position of some axes, in row-major order."""
    for position in product(*map(range, sizes)):
        yield tuple(_cover(axis, index, index + 1) for axis, index in enumerate(position))


def _cover(axis: int, first: int, end: int) -> IndexMap:
    return IndexMap.covering((axis,), first, end)


def without_arg_maxima(system: System) -> System:
    """The system without the relations that lack a bracket: what they say is not what a proof shows."""
    apart = {number for item in system.arg_maxima for number in (item.order, item.selection)}
    if not apart:
        return system
    relations = tuple(relation for number, relation in enumerate(system.relations) if number not in apart)
    return replace(system, relations=relations, arg_maxima=())


def check_arg_maxima(system: System) -> None:
    """Requires indices that are public outputs, and relations that are the two above.

    Raises FormatError otherwise.
    """
    numbers = [number for item in system.arg_maxima for number in (item.order, item.selection)]
    inside = all(0 <= number < len(system.relations) for number in numbers)
    require(inside and len(set(numbers)) == len(numbers), "an index has relations that it shares or lacks")
    outputs = [item.output for item in system.arg_maxima]
    inside = all(0 <= output < len(system.outputs) for output in outputs)
    require(inside and len(set(outputs)) == len(outputs), "an index is no output, or one twice")
    for item in system.arg_maxima:
        _check(system, item)


def _check(system: System, item: ArgMax) -> None:
    public, where = system.outputs[item.output], f"'{system.outputs[item.output].name}'"
    require(not system.is_hidden(public), f"{where} is hidden, and its index has to be public")
    tensors = (public.tensor, item.scores, item.largest, item.margin)
    inside = all(0 <= tensor < len(system.tensors) for tensor in tensors)
    require(inside and len(set(tensors)) == len(tensors), f"{where} is an index of no scores")
    indices, scores = system.tensors[public.tensor], system.tensors[item.scores]
    witness = all(system.tensors[tensor].matrix is Matrix.WITNESS for tensor in tensors)
    require(witness, f"{where} is an index of scores that are not of the witness")
    space = scores.shape
    # The terms of the order say so of the others. An output has samples, so that scores have rows.
    require(indices.shape == space[:-1], f"{where} has scores of another shape")
    # Another index would have empty brackets, or wrong ones.
    require((public.lo, public.hi) == (0, space[-1] - 1), f"{where} is not an index of its scores")
    order, selection = system.relations[item.order], system.relations[item.selection]
    expected = order_relation(order.name, space, item.scores, item.largest, item.margin)
    require(order == expected, f"{where} has another order than that of its scores")
    expected = selection_relation(selection.name, space, item.margin)
    require(selection == expected, f"{where} has another selection than that of its margins")


def check_margins(system: System, ranges: Mapping[int, Interval]) -> None:
    """Requires margins that leave one index, and an order that cannot wrap. Raises FormatError otherwise.

    `ranges` are proven ranges of witness tensors.
    """
    for item in system.arg_maxima:
        where = f"'{system.outputs[item.output].name}'"
        proven = all(tensor in ranges for tensor in (item.scores, item.largest, item.margin))
        require(proven, f"{where} has scores or margins without a proven range")
        (x0, x1), (m0, m1), (d0, d1) = (ranges[t] for t in (item.scores, item.largest, item.margin))
        require(d0 == 0 and 2 * d1 < MODULUS - 1, f"{where} has margins that leave several indices")
        require(m1 - x0 < MODULUS and x1 - m0 + d1 + 1 < MODULUS, f"{where} has an order that could wrap")
