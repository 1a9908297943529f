"""The product of two values whose axes have labels: which axes both share, and which are summed over.

A dimension may be made of several axes. Where both values have a dimension, its axes are cut alike. The
samples' axis is shared: a sample of the output is a product of that sample's values alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from deepprove_dist.arrays import Shape
from deepprove_dist.lowering.axes import finer_axes, grouped
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression, moved
from deepprove_dist.lowering.rearrange import cut
from deepprove_dist.lowering.views import Reader
from deepprove_dist.protocol.system.system import BATCH, Affine, Factor, Product

Labels = tuple[int, ...]


def contract(
    reader: Reader, named: Sequence[tuple[str, Expression]], labels: tuple[Labels, Labels], outputs: int
) -> tuple[Shape, Product]:
    """The index space of the output, and the product over it.

    Labels below `outputs` are the output's dimensions, in order. Values come with their names.
    """
    values = [reader.aligned(name, value, value.shape) for name, value in named]
    axes = _common_axes(values, labels)
    if axes is None:
        values = [reader.with_whole_axes(name, value) for name, value in named]
        axes = _common_axes(values, labels)
    assert axes is not None, "dimensions of one axis are cut alike"
    numbers = _numbers(axes)
    run = {0} | _run(numbers, labels, outputs)
    factors = []
    for value, side in zip(values, labels, strict=True):
        finer = cut(value, tuple(chain(*(axes[label] for label in side))))
        order = (0, *chain(*(numbers[label] for label in side)))
        factors.append(_factor(finer.value, order, run))
    return _product(axes, outputs, factors)


def contract_with_weight(
    value: Expression,
    weight: tuple[str, Shape],
    labels: tuple[Labels, Labels],
    outputs: int,
    builder: Builder,
) -> tuple[Shape, Product]:
    """The same for an aligned value and a constant of this name and shape, which is cut as the value is."""
    groups = grouped(value.axes, value.shape) or ()
    axes: dict[int, Shape] = {}
    for label, size in zip(labels[1], weight[1], strict=True):
        axes[label] = (size,) if size > 1 else ()
    axes |= dict(zip(labels[0], groups, strict=True))
    numbers = _numbers(axes)
    run = _run(numbers, labels, outputs)
    stored = builder.weight(weight[0], tuple(chain(*(axes[label] for label in labels[1]))))
    left = _factor(stored, tuple(chain(*(numbers[label] for label in labels[1]))), run)
    right = _factor(value.value, (0, *chain(*(numbers[label] for label in labels[0]))), run)
    return _product(axes, outputs, [left, right])


def _numbers(axes: Mapping[int, Shape]) -> dict[int, range]:
    """The numbers of each label's axes in the product; samples have number 0."""
    numbers, count = dict[int, range](), 1
    for label in sorted(axes):
        numbers[label] = range(count, count + len(axes[label]))
        count += len(axes[label])
    return numbers


def _run(numbers: Mapping[int, range], labels: tuple[Labels, Labels], outputs: int) -> set[int]:
    """The numbers of the axes that the sumcheck runs over: those that are summed over, or are in both."""
    both = set(labels[0]) & set(labels[1])
    return {number for label in numbers if label >= outputs or label in both for number in numbers[label]}


def _product(axes: Mapping[int, Shape], outputs: int, factors: Sequence[Factor]) -> tuple[Shape, Product]:
    space = (BATCH, *chain(*(axes[label] for label in range(outputs))))
    contracted = tuple(chain(*(axes[label] for label in sorted(axes) if label >= outputs)))
    return space, Product(1, contracted, (), *factors)


def _common_axes(values: Sequence[Expression], labels: tuple[Labels, Labels]) -> dict[int, Shape] | None:
    """The axes of each label's dimension, in both values; None where there are no such axes."""
    axes: dict[int, Shape] = {}
    for value, side in zip(values, labels, strict=True):
        groups = grouped(value.axes, value.shape)
        if groups is None:
            return None
        for label, group in zip(side, groups, strict=True):
            finer = finer_axes(axes[label], group) if label in axes else group
            if finer is None:
                return None
            axes[label] = finer
    return axes


def _factor(value: Affine, axes: tuple[int, ...], run: set[int]) -> Factor:
    """A value whose axis k is axis `axes[k]` of the product.

    The sumcheck runs over `run`, in ascending order. Where it can, the value keeps the order of its tensor.
    """
    for order in (_stored_order(value), tuple(range(len(axes)))):
        numbers = [axes[k] for k in order]
        running = [number for number in numbers if number in run]
        if running == sorted(running):
            break
    else:
        order = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    space = tuple(value.space[k] for k in order)
    positions = [(order.index(k),) for k in range(len(axes))]
    return Factor(moved(value, space, positions), tuple(axes[k] for k in order))


def _stored_order(value: Affine) -> tuple[int, ...]:
    """The axes in the order in which the value's one term follows them; as they are, for any other value."""
    every = tuple(range(len(value.space)))
    if len(value.terms) != 1 or set(value.terms[0].follows) != set(every):
        return every
    return value.terms[0].follows
