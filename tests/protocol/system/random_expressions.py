"""Random expressions: terms that follow axes, slide over them or lack them, and constants on parts."""

from __future__ import annotations

from math import prod

from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.system import Affine, Constant, Matrix, System, Tensor, Term

COEFFICIENTS = st.sampled_from((1, 1, -1, 2, 17, -300))

spaces = st.lists(st.integers(1, 5), max_size=3).map(tuple)


@st.composite
def groups(draw: st.DrawFn, axes: list[int]) -> list[tuple[int, ...]]:
    """These axes in their order, some neighbours together."""
    together = list[tuple[int, ...]]()
    for axis in axes:
        if together and draw(st.integers(0, 3)) == 0:
            together[-1] = (*together[-1], axis)
        else:
            together.append((axis,))
    return together


@st.composite
def index_maps(draw: st.DrawFn, axes: tuple[int, ...], outputs: int, least: int = 0) -> IndexMap:
    """Any map of axes: gaps, overlaps, indices outside, a part of the positions only, factors."""
    first = draw(st.integers(0, outputs))
    end = draw(st.integers(first, outputs))
    factors = st.lists(st.integers(-3, 3), min_size=outputs, max_size=outputs).map(tuple)
    return IndexMap(
        axes,
        first=draw(st.sampled_from((0, first))),
        end=draw(st.sampled_from((outputs, end))),
        offset=draw(st.integers(-5, 5)),
        stride=draw(st.integers(0, 3)),
        taps=draw(st.integers(least, 4)),
        dilation=draw(st.integers(0, 3)),
        scale=draw(st.sampled_from(((), draw(factors)))),
    )


@st.composite
def index_lists(draw: st.DrawFn, axes: tuple[int, ...], outputs: int, size: int) -> IndexMap:
    """Any list of indices of an axis of this size, with factors or without."""
    indices = st.lists(st.integers(-1, size - 1), min_size=outputs, max_size=outputs).map(tuple)
    factors = st.lists(st.integers(-3, 3), min_size=outputs, max_size=outputs).map(tuple)
    scale = draw(st.sampled_from(((), draw(factors))))
    return IndexMap(axes, 0, outputs, draw(indices), 0, scale=scale)


def plain(axes: tuple[int, ...], space: Shape) -> Axis:
    """What follows these axes in their order."""
    return axes[0] if len(axes) == 1 else IndexMap.joining(axes, space)


@st.composite
def covers(draw: st.DrawFn, space: Shape, axes: list[int]) -> list[IndexMap]:
    """Intervals of these axes, some of them together."""
    within = []
    for together in draw(groups(axes)):
        size = prod(space[axis] for axis in together)
        first = draw(st.integers(0, size))
        within.append(IndexMap.covering(together, first, draw(st.integers(first, size))))
    return within


@st.composite
def _following(draw: st.DrawFn, axes: tuple[int, ...], space: Shape, size: int, kind: int) -> Axis:
    """What follows these axes: plainly, by a map, or by a list, which leads to `size` indices."""
    count = prod(space[axis] for axis in axes)
    match kind:
        case 0:
            return plain(axes, space)
        case 1:
            return draw(index_lists(axes, count, size))
        case _:
            return draw(index_maps(axes, count))


@st.composite
def constants(draw: st.DrawFn, space: Shape) -> Constant:
    """A constant on an interval of some axes."""
    axes = draw(st.lists(st.sampled_from(range(len(space))), unique=True)) if space else []
    return Constant(draw(st.integers(-50, 50)), tuple(draw(covers(space, axes))))


@st.composite
def expressions(draw: st.DrawFn, space: Shape, tensors: list[Tensor]) -> Affine:
    """An expression over a space, of new tensors that are put after those given."""
    terms = []
    for _ in range(draw(st.integers(0, 3))):
        order = draw(st.permutations(range(len(space))))
        axes, shape = list[Axis](), list[int]()
        followed = draw(st.integers(0, len(space)))
        for together in draw(groups(order[:followed])):
            kind, count = draw(st.integers(0, 3)), prod(space[axis] for axis in together)
            size = count if kind == 0 else draw(st.integers(1, 6))
            axes.append(draw(_following(together, space, size, kind)))
            shape.append(size)
        axes += draw(covers(space, order[followed : followed + draw(st.integers(0, 2))]))
        terms.append(Term(draw(COEFFICIENTS), len(tensors), tuple(axes)))
        tensors.append(Tensor(f"x{len(tensors)}", tuple(shape), draw(st.sampled_from(Matrix))))
    return Affine(space, tuple(terms), tuple(draw(st.lists(constants(space), max_size=2))))


def system_of(tensors: list[Tensor]) -> System:
    """A system of these tensors alone."""
    return System(tuple(tensors), (), (), (), (), ())
