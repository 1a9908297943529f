"""Rows of weights that public indices select: those of an embedding, by the statement's tokens.

Let x be a public input of samples, and W weights with an axis of n indices. A key says of a term of W only
that its axis follows x. For public x everybody knows which index each position h has:

    i_h = x_h,        if  0 <= x_h < n,
          x_h + n,    if -n <= x_h < 0  (ONNX counts from the end),
          none,       for all others: the term is 0 there.

So the statement turns it into a term with a list of indices. Nothing is committed for it, and nothing looked
up. One-hot vectors of computed or hidden indices take a value and a lookup for each position and index.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine, System


def selecting_relations(system: System) -> tuple[int, ...]:
    """The numbers of the relations with terms that public indices select."""
    return tuple(number for number, relation in enumerate(system.relations) if selects(relation.affine))


def with_selections(system: System, numbers: Sequence[int], inputs: Mapping[str, BaseVector]) -> System:
    """The system of a statement: with the lists of its public indices, in the relations of these numbers.

    `inputs` are field elements in row-major order, by name. The system has a number of samples.
    """
    relations = list(system.relations)
    for number in numbers:
        relation, terms = relations[number], []
        for term in relation.affine.terms:
            sizes = term.sizes(system.tensors[term.tensor].shape)
            axes = (_listed(axis, size, inputs) for axis, size in zip(term.axes, sizes, strict=True))
            terms.append(replace(term, axes=tuple(axes)))
        relations[number] = replace(relation, affine=replace(relation.affine, terms=tuple(terms)))
    return replace(system, relations=tuple(relations))


def selects(affine: Affine) -> bool:
    """Whether an expression has an axis that follows a public input."""
    return any(_input_of(axis) is not None for term in affine.terms for axis in term.axes)


def is_selection(system: System, axis: IndexMap, space: Shape) -> bool:
    """Whether a map of axes of a space has an index for each integer of a public input that nothing hides."""
    name = axis.input
    publics = [public for public in system.inputs if public.name == name and not system.is_hidden(public)]
    if name is None or len(publics) != 1 or axis != IndexMap.of_input(axis.axes, name):
        return False
    sizes = [space[k] for k in axis.axes]
    # Samples come first: their number is not known.
    return sizes[:1] == [BATCH] and prod(sizes[1:]) == prod(publics[0].shape)


def _input_of(axis: Axis) -> str | None:
    return axis.input if isinstance(axis, IndexMap) else None


def _listed(axis: Axis, size: int, inputs: Mapping[str, BaseVector]) -> Axis:
    """The axis of a tensor, of this size, with a list of indices where a public input has them."""
    if isinstance(axis, int) or axis.input is None:
        return axis
    data = bytes(inputs[axis.input])
    indices = tuple(_index(element, size) for (element,) in struct.iter_unpack("<I", data))
    return IndexMap(axis.axes, 0, len(indices), indices, 0)


def _index(element: int, size: int) -> int:
    """The index among so many that a field element stands for; -1 for none."""
    number = element if element <= LARGEST_SIGNED else element - MODULUS
    index = number if number >= 0 else number + size
    return index if 0 <= index < size else -1
