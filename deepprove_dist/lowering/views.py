"""Views that operators lower to: windows over dimensions of a value, which cost no relation.

A view is taken of an expression where that is possible. Where an axis already follows a window, or a sum over
a window would meet constants, the value is committed first, as a tensor of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Dimensions, Expression, dimensions, slid
from deepprove_dist.model.integer_model import Node
from deepprove_dist.protocol.relations.system import Window


@dataclass(frozen=True)
class Slide:
    """A window along a dimension: `places` outputs, each the sum over `taps` of the places
    stride * h + dilation * i + offset, times its own factor in `scale` (1 without).
    """

    places: int
    taps: int
    stride: int
    dilation: int
    offset: int
    scale: tuple[int, ...] = ()


def single_axes(node: Node, value: Expression, single: Sequence[int]) -> Dimensions:
    """The value with exactly one axis for each of some dimensions. Raises ModelError where there are more."""
    known = None if value.products else dimensions(value, single)
    if known is None:
        raise ModelError(
            f"'{node.name}': its input {value.shape} has the axes {value.axes}, which cut or join the "
            f"dimensions {tuple(single)}; requantise an accumulator first, and reshape along whole axes only"
        )
    return known


def slidable(
    node: Node, value: Expression, single: Sequence[int], builder: Builder, source: Source
) -> Expression:
    """The value, committed first unless windows of one place can slide over each of these dimensions."""
    known = single_axes(node, value, single)
    for dimension in single:
        (axis,) = known.axes[dimension]
        size = known.value.space[axis]
        if slid(known.value, Window(axis, 1, 1, 1, 0, 0, size), size) is None:
            return _store(node, value, known, builder, source)
    return value


def slide(
    node: Node,
    value: Expression,
    slides: Sequence[tuple[int, Slide]],
    builder: Builder,
    source: Source | None,
    fill: int = 0,
) -> Dimensions:
    """The value with windows over some dimensions, each given with its slide; places outside count as `fill`.

    `source` is where the value itself comes from, if it may have to be committed.
    """
    known = single_axes(node, value, [dimension for dimension, _ in slides])
    moved = _slide(known, slides, fill)
    if moved is None and source is not None:
        stored = _store(node, value, known, builder, source)
        moved = _slide(single_axes(node, stored, [dimension for dimension, _ in slides]), slides, fill)
    if moved is None:
        raise ModelError(f"'{node.name}': windows over an axis that the tensor lacks")
    return moved


def _store(node: Node, value: Expression, known: Dimensions, builder: Builder, source: Source) -> Expression:
    """The value as a tensor that has an axis for each dimension that needs one, of size 1 too."""
    return builder.store(f"{node.name} input", replace(value, value=known.value), source)


def _slide(known: Dimensions, slides: Sequence[tuple[int, Slide]], fill: int) -> Dimensions | None:
    value = known.value
    for dimension, own in slides:
        (axis,) = known.axes[dimension]
        window = Window(axis, own.taps, own.stride, own.dilation, own.offset, 0, own.places, own.scale)
        moved = slid(value, window, own.places, fill)
        if moved is None:
            return None
        value = moved
    return Dimensions(value, known.axes)
