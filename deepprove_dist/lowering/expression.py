"""Values while a model is lowered: affine in committed tensors, plus products that are never committed.

A value has the ONNX shape of one sample, and *axes*: the sizes above 1 that tensors are stored with, finest
that are known. Reshaping changes the shape only; an operator that needs to know which axes make which
dimension asks for `views.dimensions`. So flattening a [16, 5, 5] tensor keeps its three axes, and stays a
view; where a reshape cuts an axis, what followed it follows its parts, joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Constant,
    Followed,
    Joined,
    Product,
    Shape,
    Term,
    Window,
    parts,
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


def moved(value: Affine, space: Shape, places: Sequence[tuple[int, ...]]) -> Affine:
    """The expression over another space, in which axis k is cut into the axes places[k]; axes beside these
    have size 1.
    """

    def follow(axis: Followed) -> Followed:
        return follow_moved(axis, places)

    def move(axis: Followed | Window) -> Followed | Window:
        return replace(axis, axis=follow(axis.axis)) if isinstance(axis, Window) else follow(axis)

    def move_ranges(constant: Constant) -> Constant:
        ranges = tuple((follow(axis), first, end) for axis, first, end in constant.ranges)
        return replace(constant, ranges=ranges)

    terms = tuple(replace(term, axes=tuple(map(move, term.axes))) for term in value.terms)
    return Affine(space, terms, tuple(map(move_ranges, value.constants)))


def follow_moved(axis: Followed, places: Sequence[tuple[int, ...]]) -> Followed:
    """What follows an axis, or joined ones, in a space where axis k is cut into the axes places[k]."""
    own = tuple(place for k in parts(axis) for place in places[k])
    return own[0] if len(own) == 1 else Joined(own)


def slid(value: Affine, window: Window, outputs: int, fill: int = 0) -> Affine | None:
    """The expression with axis `window.axis` replaced by `outputs` places of a window over it.

    Places outside count as `fill`, which needs a window of one place. None where a term or a constant follows
    that axis in a way that a single window does not express.
    """
    (axis,) = parts(window)
    size = value.space[axis]
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
        if window.taps != 1 or window.scale or any(axis in parts(own) for own, _, _ in constant.ranges):
            return None
        constants.append(replace(constant, ranges=(*constant.ranges, (axis, first, end))))
    if fill:
        constants += [
            Constant(fill, ((axis, *ends),)) for ends in ((0, first), (end, outputs)) if ends[0] < ends[1]
        ]
    space = (*value.space[:axis], outputs, *value.space[axis + 1 :])
    return Affine(space, tuple(terms), tuple(constants))
