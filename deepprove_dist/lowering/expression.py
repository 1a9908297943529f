"""Values while a model is lowered: affine in committed tensors, plus products that are never committed.

A value has the ONNX shape of one sample, and *axes*: the sizes above 1 that tensors are stored with, finest
that are known. Reshaping changes the shape only; an operator that needs to know which axes make which
dimension asks `grouped`. So flattening a [16, 5, 5] tensor keeps its three axes, and stays a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Constant,
    Product,
    Shape,
    Term,
    Window,
)
from deepprove_dist.protocol.table import Interval


@dataclass(frozen=True)
class Expression:
    """value + products; `value` has the index space (BATCH, *axes).

    `hidden` bounds what depends on weights: the products and the terms of weight tensors.
    """

    shape: Shape
    value: Affine
    products: tuple[Product, ...]
    hidden: Interval

    @property
    def axes(self) -> Shape:
        """The axes of one sample."""
        return self.value.space[1:]

    @property
    def space(self) -> Shape:
        """Sizes of the output axes of a relation on this value."""
        return self.value.space

    @property
    def stored(self) -> int | None:
        """The committed tensor that this value is, axis by axis; None for any other value."""
        return None if self.products else self.value.stored


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


def moved(value: Affine, space: Shape, places: Sequence[int]) -> Affine:
    """The expression over another space, in which axis k is axis places[k]; axes beside these have size 1."""

    def move(axis: int | Window) -> int | Window:
        return replace(axis, axis=places[axis.axis]) if isinstance(axis, Window) else places[axis]

    def move_ranges(constant: Constant) -> Constant:
        ranges = tuple((places[axis], first, end) for axis, first, end in constant.ranges)
        return replace(constant, ranges=ranges)

    terms = tuple(replace(term, axes=tuple(map(move, term.axes))) for term in value.terms)
    return Affine(space, terms, tuple(map(move_ranges, value.constants)))


def slid(value: Affine, window: Window, outputs: int, fill: int = 0) -> Affine | None:
    """The expression with axis `window.axis` replaced by `outputs` places of a window over it.

    Places outside count as `fill`, which needs a window of one place. None where a term or a constant follows
    that axis in a way that a single window does not express.
    """
    axis, size = window.axis, value.space[window.axis]
    inside = [h for h in range(outputs) if 0 <= window.stride * h + window.offset < size]
    first, end = (inside[0], inside[-1] + 1) if inside else (0, 0)
    terms = []
    for term in value.terms:
        if axis not in term.axes:
            return None
        place = term.axes.index(axis)
        terms.append(replace(term, axes=(*term.axes[:place], window, *term.axes[place + 1 :])))
    constants = []
    for constant in value.constants:
        if window.taps != 1 or window.scale or any(own == axis for own, _, _ in constant.ranges):
            return None
        constants.append(replace(constant, ranges=(*constant.ranges, (axis, first, end))))
    if fill:
        constants += [
            Constant(fill, ((axis, *ends),)) for ends in ((0, first), (end, outputs)) if ends[0] < ends[1]
        ]
    space = (*value.space[:axis], outputs, *value.space[axis + 1 :])
    return Affine(space, tuple(terms), tuple(constants))


def fine_axes(shape: Shape) -> Shape:
    """The axes of a tensor that is stored as it is: its dimensions, but for a leading one of size 1."""
    return shape[1:] if shape[:1] == (1,) else shape


def grouped(axes: Shape, shape: Shape) -> tuple[Shape, ...] | None:
    """For each dimension of `shape` the axes that make it, in order; None where an axis would be cut.

    From the last dimension on; one of size 1 has an axis of size 1 if that stands next, else none.
    """
    groups, end = [], len(axes)
    for size in reversed(shape):
        start = end
        if size == 1:
            start -= axes[start - 1 : start] == (1,)
        while prod(axes[start:end]) < size and start > 0:
            start -= 1
        if prod(axes[start:end]) != size:
            return None
        groups.append(axes[start:end])
        end = start
    if groups and set(axes[:end]) == {1}:
        groups[-1] = axes[:end] + groups[-1]
        end = 0
    return tuple(reversed(groups)) if end == 0 else None


@dataclass(frozen=True)
class Dimensions:
    """An expression that knows its dimensions: `axes[k]` are those of dimension k of the shape."""

    value: Affine
    axes: tuple[tuple[int, ...], ...]


def dimensions(value: Expression, single: Sequence[int]) -> Dimensions | None:
    """The axes of each dimension; the dimensions `single` get exactly one, of size 1 where they have none.

    None where an axis would be cut, or a dimension in `single` has several.
    """
    groups = grouped(value.axes, value.shape)
    if groups is None or any(len(groups[k]) > 1 for k in single):
        return None
    space, places, axes = [BATCH], [0], []
    for dimension, group in enumerate(groups):
        start = len(space)
        places += range(start, start + len(group))
        space += group
        if not group and dimension in single:
            space.append(1)
        axes.append(tuple(range(start, len(space))))
    return Dimensions(moved(value.value, tuple(space), places), tuple(axes))
