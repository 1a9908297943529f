"""Values while a model is lowered: affine in committed tensors, plus products that are never committed.

A value has the ONNX shape of one sample, and *axes*: the sizes above 1 that tensors are stored with, finest
that are known. Reshaping changes the shape only; an operator that needs to know which axes make which
dimension asks `grouped`. So flattening a [16, 5, 5] tensor keeps its three axes, and stays a view.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from deepprove_dist.protocol.relations.system import BATCH, Product, Shape, Term
from deepprove_dist.protocol.table import Interval


@dataclass(frozen=True)
class Expression:
    """terms + constant + products over the index space (BATCH, *axes).

    `hidden` bounds what depends on weights: the products and the terms of weight tensors.
    """

    shape: Shape
    axes: Shape
    terms: tuple[Term, ...]
    constant: int
    products: tuple[Product, ...]
    hidden: Interval

    @property
    def space(self) -> Shape:
        """Sizes of the output axes of a relation on this value."""
        return (BATCH, *self.axes)

    @property
    def stored(self) -> int | None:
        """The committed tensor that this value is, axis by axis; None for any other value."""
        if self.products or self.constant or len(self.terms) != 1:
            return None
        (term,) = self.terms
        same = term.coefficient == 1 and term.axes == tuple(range(len(self.space)))
        return term.tensor if same else None


def stored(tensor: int, shape: Shape, axes: Shape) -> Expression:
    """The value of a committed tensor of shape (BATCH, *axes)."""
    term = Term(1, tensor, tuple(range(len(axes) + 1)))
    return Expression(shape, axes, (term,), 0, (), (0, 0))


def fine_axes(shape: Shape) -> Shape:
    """The axes of a tensor that is stored as it is: its sizes above 1."""
    return tuple(size for size in shape if size != 1)


def grouped(axes: Shape, shape: Shape) -> tuple[Shape, ...] | None:
    """For each dimension of `shape` the axes that make it, in order; None where an axis would be cut."""
    groups, place = [], 0
    for size in shape:
        start = place
        while prod(axes[start:place]) < size and place < len(axes):
            place += 1
        if prod(axes[start:place]) != size:
            return None
        groups.append(axes[start:place])
    return tuple(groups) if place == len(axes) else None
