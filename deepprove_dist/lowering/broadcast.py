"""Values repeated along axes, as numpy broadcasts them. They cost no relation, and nothing is committed.

A dimension that is new has an axis that no term follows: the value is constant along it. Another one had size
1. If it had an axis, all positions of the longer axis follow that one at index 0.
"""

from __future__ import annotations

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.following import follow
from deepprove_dist.lowering.rearrange import rearranged
from deepprove_dist.lowering.views import axes_of_dimensions
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine


def broadcast(value: Expression, shape: Shape) -> Expression:
    """An aligned value under a shape that numpy broadcasts its own to."""
    missing = len(shape) - len(value.shape)
    sizes = (*(1 for _ in range(missing)), *value.shape)
    groups = [() for _ in range(missing)] + list(axes_of_dimensions(value))
    repeated = {k for k, size in enumerate(shape) if size != sizes[k]}
    for k in tuple(repeated):
        longer = _repeated(value, groups[k], shape[k])
        if longer is not None:
            repeated.remove(k)
            value = longer
    in_dimensions = {axis for group in groups for axis in group}
    first = [axis for axis in range(1, len(value.space)) if axis not in in_dimensions]
    space, cut_axes = [BATCH], {0: (0,)}
    for k, group in enumerate((first, *groups)):
        for axis in group:
            cut_axes[axis] = (len(space),)
            space.append(value.space[axis])
        if k - 1 in repeated:
            space.append(shape[k - 1])
    return rearranged(value, shape, tuple(space), [cut_axes[axis] for axis in range(len(value.space))])


def repeated_weight(name: str, shape: Shape, value: Expression, builder: Builder) -> Affine:
    """A constant of this name and shape, repeated over the index space of an aligned value."""
    if shape == value.shape:
        # The same elements in row-major order, whatever the axes are.
        axes = tuple(range(1, len(value.space)))
    else:
        missing = len(value.shape) - len(shape)
        groups = axes_of_dimensions(value)[missing:]
        axes = tuple(axis for size, group in zip(shape, groups, strict=True) if size > 1 for axis in group)
    (term,) = builder.weight(name, tuple(value.space[axis] for axis in axes)).terms
    return Affine(value.space, (replace(term, axes=axes),), ())


def _repeated(value: Expression, group: tuple[int, ...], size: int) -> Expression | None:
    """The value with its one axis of size 1 in a dimension repeated; None where that needs a further axis."""
    if value.products or len(group) != 1:
        return None
    longer = follow(value.value, IndexMap(group, 0, size, stride=0))
    return None if longer is None else Expression(value.shape, longer, (), value.weight_bounds)
