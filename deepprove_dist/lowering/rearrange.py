"""Values under other axes: cut into finer ones and put in another order, with their products.

A product follows the output axes of its relation: their numbers change in its factors and maps of taps. Where
an axis is cut, so is that of every factor that has it. So an accumulator, which is never committed, is
reshaped and transposed like any other value.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.lowering.axes import cuts
from deepprove_dist.lowering.expression import Expression, move_map, moved
from deepprove_dist.protocol.system.system import BATCH, Factor, Product

AxisCuts = Sequence[tuple[int, ...]]
"""For each axis of a space the axes of another one that it is cut into."""


def cut(value: Expression, finer: Shape) -> Expression:
    """The value with finer axes in one sample."""
    if finer == value.axes:
        return value
    cut_axes = [(0,), *(tuple(1 + k for k in parts) for parts in cuts(value.axes, finer))]
    return rearranged(value, value.shape, (BATCH, *finer), cut_axes)


def rearranged(value: Expression, shape: Shape, space: Shape, cut_axes: AxisCuts) -> Expression:
    """The value over another space, in which axis k is cut into the axes cut_axes[k], under another shape.

    It is constant along further axes of that space.
    """
    products = tuple(_product(product, space, cut_axes) for product in value.products)
    return Expression(shape, moved(value.value, space, cut_axes), products, value.weight_bounds)


def _product(product: Product, space: Shape, cut_axes: AxisCuts) -> Product:
    left, right = (_factor(factor, space, cut_axes) for factor in (product.left, product.right))
    shared = {axis for axis in left.axes if axis in right.axes and axis < len(space)}
    left, right = (_with_sorted_axes(factor, shared) for factor in (left, right))
    # No factor has a new axis yet: the product is constant along it.
    present = {axis for parts in cut_axes for axis in parts}
    new = tuple(axis for axis in range(len(space)) if axis not in present)
    value = replace(right.value, space=(*right.value.space, *(space[axis] for axis in new)))
    taps = tuple(replace(axis, map=move_map(axis.map, cut_axes)) for axis in product.taps)
    return replace(product, taps=taps, left=left, right=Factor(value, (*right.axes, *new)))


def _factor(factor: Factor, space: Shape, cut_axes: AxisCuts) -> Factor:
    outputs, axes, sizes = len(cut_axes), list[int](), list[int]()
    factor_cuts: list[tuple[int, ...]] = []
    for axis, size in zip(factor.axes, factor.value.space, strict=True):
        parts = cut_axes[axis] if axis < outputs else (axis - outputs + len(space),)
        factor_cuts.append(tuple(range(len(axes), len(axes) + len(parts))))
        axes += parts
        sizes += [space[k] for k in parts] if axis < outputs else [size]
    return Factor(moved(factor.value, tuple(sizes), factor_cuts), tuple(axes))


def _with_sorted_axes(factor: Factor, shared: set[int]) -> Factor:
    """The factor with its shared axes, which the sumcheck runs over, in ascending order."""
    axes = iter(sorted(axis for axis in factor.axes if axis in shared))
    order = [next(axes) if axis in shared else axis for axis in factor.axes]
    positions = [order.index(axis) for axis in factor.axes]
    space = tuple(factor.value.space[factor.axes.index(axis)] for axis in order)
    return Factor(moved(factor.value, space, [(position,) for position in positions]), tuple(order))
