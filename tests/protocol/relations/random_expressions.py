"""Random expressions: terms that follow axes, slide over them or lack them, and constants on parts."""

from __future__ import annotations

from hypothesis import strategies as st

from deepprove_dist.protocol.relations.system import (
    Affine,
    Constant,
    Followed,
    Joined,
    Matrix,
    Shape,
    System,
    Tensor,
    Term,
    Window,
    parts,
    size_along,
)

COEFFICIENTS = st.sampled_from((1, 1, -1, 2, 17, -300))

spaces = st.lists(st.integers(1, 5), max_size=3).map(tuple)


@st.composite
def followed(draw: st.DrawFn, axes: list[int]) -> list[Followed]:
    """These axes in their order, some neighbours joined."""
    found: list[Followed] = []
    for axis in axes:
        if found and draw(st.integers(0, 3)) == 0:
            found[-1] = Joined((*parts(found[-1]), axis))
        else:
            found.append(axis)
    return found


@st.composite
def windows(draw: st.DrawFn, axis: Followed, outputs: int) -> Window:
    """Any window over an axis: gaps, overlaps, places outside, a part of the outputs only, factors."""
    first = draw(st.integers(0, outputs))
    end = draw(st.integers(first, outputs))
    factors = st.lists(st.integers(-3, 3), min_size=outputs, max_size=outputs).map(tuple)
    return Window(
        axis,
        taps=draw(st.integers(0, 4)),
        stride=draw(st.integers(0, 3)),
        dilation=draw(st.integers(0, 3)),
        offset=draw(st.integers(-5, 5)),
        first=draw(st.sampled_from((0, first))),
        end=draw(st.sampled_from((outputs, end))),
        scale=draw(st.sampled_from(((), draw(factors)))),
    )


@st.composite
def constants(draw: st.DrawFn, space: Shape) -> Constant:
    """A constant on an interval of some axes."""
    ranges = []
    axes = draw(st.lists(st.sampled_from(range(len(space))), unique=True)) if space else []
    for axis in draw(followed(axes)):
        size = size_along(space, axis)
        first = draw(st.integers(0, size))
        ranges.append((axis, first, draw(st.integers(first, size))))
    return Constant(draw(st.integers(-50, 50)), tuple(ranges))


@st.composite
def expressions(draw: st.DrawFn, space: Shape, tensors: list[Tensor]) -> Affine:
    """An expression over a space, of new tensors that are put behind those given."""
    terms = []
    for _ in range(draw(st.integers(0, 3))):
        order = draw(st.permutations(range(len(space))))
        axes: list[Followed | Window] = []
        shape = []
        for axis in draw(followed(order[: draw(st.integers(0, len(space)))])):
            slides, size = draw(st.booleans()), size_along(space, axis)
            axes.append(draw(windows(axis, size)) if slides else axis)
            shape.append(draw(st.integers(1, 6)) if slides else size)
        terms.append(Term(draw(COEFFICIENTS), len(tensors), tuple(axes)))
        tensors.append(Tensor(f"x{len(tensors)}", tuple(shape), draw(st.sampled_from(Matrix))))
    return Affine(space, tuple(terms), tuple(draw(st.lists(constants(space), max_size=2))))


def system_of(tensors: list[Tensor]) -> System:
    """A system of these tensors alone."""
    return System(tuple(tensors), (), (), (), (), ())
