"""Values while a model is lowered: affine in committed tensors, plus products that are never committed.

A value has the ONNX shape of one sample, and *axes*. These are the sizes above 1 that tensors are stored
with, as fine as they are known. Reshaping changes the shape only. So flattening a [16, 5, 5] tensor keeps its
three axes, and stays a view. Where a reshape cuts an axis, what followed it follows its parts, joined. An
operator that needs to know which axes make which dimension asks for `views.dimensions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine, Product, Term
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class Expression:
    """value + products; `value` has the index space (BATCH, *axes).

    `weight_bounds` are those of all that depends on weights: the products and the terms of weight tensors.
    """

    shape: Shape
    value: Affine
    products: tuple[Product, ...]
    weight_bounds: Interval

    @property
    def axes(self) -> Shape:
        """The axes of one sample."""
        return self.value.space[1:]

    @property
    def space(self) -> Shape:
        """Sizes of the output axes of a relation on this value."""
        return self.value.space

    @property
    def parts(self) -> int:
        """The number of its terms, constants and products."""
        return len(self.value.terms) + len(self.value.constants) + len(self.products)

    @property
    def is_accumulator(self) -> bool:
        """Whether it depends on weights directly: no lookup can read it, and its range follows from them."""
        return bool(self.products) or self.weight_bounds != (0, 0)

    @property
    def stored(self) -> int | None:
        """The committed tensor that this value is, axis by axis; None for any other value."""
        return None if self.is_accumulator else self.value.stored


def stored(tensor: int, shape: Shape, axes: Shape) -> Expression:
    """The value of a committed tensor of shape (BATCH, *axes)."""
    term = Term(1, tensor, tuple(range(len(axes) + 1)))
    return Expression(shape, Affine((BATCH, *axes), (term,), ()), (), (0, 0))


def scaled(value: Affine, factor: int) -> Affine:
    """The expression times an integer."""
    terms = tuple(replace(term, coefficient=factor * term.coefficient) for term in value.terms)
    constants = tuple(replace(constant, value=factor * constant.value) for constant in value.constants)
    return replace(value, terms=terms, constants=constants)


def added(first: Affine, *others: Affine) -> Affine:
    """The sum of expressions over one index space."""
    terms = tuple(term for value in (first, *others) for term in value.terms)
    constants = tuple(constant for value in (first, *others) for constant in value.constants)
    return replace(first, terms=terms, constants=constants)


def moved(value: Affine, space: Shape, cut_axes: Sequence[tuple[int, ...]]) -> Affine:
    """The expression over another space, in which axis k is cut into the axes cut_axes[k]. It is constant
    along axes beside these.
    """

    def move(axis: Axis) -> Axis:
        return move_axis(axis, space, cut_axes)

    terms = tuple(replace(term, axes=tuple(map(move, term.axes))) for term in value.terms)
    constants = tuple(
        replace(constant, within=tuple(move_map(cover, cut_axes) for cover in constant.within))
        for constant in value.constants
    )
    return Affine(space, terms, constants)


def move_axis(axis: Axis, space: Shape, cut_axes: Sequence[tuple[int, ...]]) -> Axis:
    """What follows an axis, or some by a map, in a space where axis k is cut into the axes cut_axes[k]."""
    if isinstance(axis, IndexMap):
        return move_map(axis, cut_axes)
    parts = cut_axes[axis]
    return parts[0] if len(parts) == 1 else IndexMap.joining(parts, space)


def move_map(axis: IndexMap, cut_axes: Sequence[tuple[int, ...]]) -> IndexMap:
    """A map of axes in a space where axis k is cut into the axes cut_axes[k]; its positions are the same."""
    return replace(axis, axes=tuple(part for k in axis.axes for part in cut_axes[k]))
