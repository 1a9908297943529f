"""Sums that are maxima have the range of a maximum; no range is ever too narrow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.model.lower import lower
from deepprove_dist.model.validate import analyse
from deepprove_dist.protocol.system import maxima as maxima_module
from deepprove_dist.protocol.system.check import proven_ranges
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.maxima import Maxima
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.system import (
    Affine,
    Constant,
    Lookup,
    LookupTable,
    Matrix,
    System,
    Tensor,
    Term,
)
from deepprove_dist.protocol.system.table import Interval, Table
from tests.lowering.networks import Network
from tests.protocol.naive import affine_values, integers, system_of, whole
from tests.protocol.system import random_expressions
from tests.protocol.system.random_expressions import expressions, index_maps

BOUND = 1 << 20
ARGUMENTS = np.arange(-BOUND, BOUND)
RELU = LookupTable(-BOUND, 2 * BOUND, Table.from_values(-BOUND, np.maximum(ARGUMENTS, 0)), 0)
X, GAIN, SPACE = 0, 1, (4,)


def bounds(
    system: System,
    ranges: dict[int, Interval],
    argument: Affine,
    affine: Affine,
    table: LookupTable = RELU,
    gain: int = GAIN,
) -> Interval:
    """The range of an expression where (argument, gain) are looked up in a table."""
    maxima = Maxima(lambda value: affine_range(system, value, ranges, maxima))
    maxima.add(Lookup(0, (argument, whole(gain, argument.space))), table)
    return affine_range(system, affine, ranges, maxima)


@st.composite
def mapped(draw: st.DrawFn, argument: Affine, gain: int) -> Affine:
    """c d and what it is added to, each through the same axes, whether or not that is one linear map."""
    space = tuple(draw(st.lists(st.integers(1, 3), min_size=len(argument.space), max_size=4)))
    free, through = list(draw(st.permutations(range(len(space))))), list[Axis]()
    for size in argument.space:
        axis = free.pop()
        plain = space[axis] == size and draw(st.integers(0, 2)) > 0
        through.append(axis if plain else draw(index_maps((axis,), space[axis])))
    factor = draw(st.sampled_from((1, -2)))
    terms = [Term(factor, gain, tuple(through))]
    for part in argument.terms:
        if all(isinstance(axis, int) for axis in part.axes) and draw(st.integers(0, 3)):
            axes = tuple(through[axis] for axis in part.axes if isinstance(axis, int))
            terms.append(Term(-factor * part.coefficient, part.tensor, axes))
    constants = [Constant(-factor * part.value) for part in argument.constants if not part.within]
    return Affine(space, tuple(terms), tuple(constants))


@settings(max_examples=400)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_no_range_is_too_narrow(data: st.DataObject, seed: int) -> None:
    space = tuple(data.draw(st.lists(st.integers(1, 3), max_size=3)))
    tensors: list[Tensor] = []
    argument = data.draw(expressions(space, tensors))
    tensors = [Tensor(t.name, t.shape, Matrix.WITNESS) for t in tensors]
    gain = len(tensors)
    tensors.append(Tensor("gain", space, Matrix.WITNESS))
    affine = data.draw(mapped(argument, gain))
    system = random_expressions.system_of(tensors)
    values = {index: integers(seed + index, tensor.shape, 9) for index, tensor in enumerate(tensors)}
    values[gain] = np.maximum(affine_values(system, argument, values), 0)
    ranges = {index: (int(array.min()), int(array.max())) for index, array in values.items()}
    low, high = bounds(system, ranges, argument, affine, gain=gain)
    result = affine_values(system, affine, values)
    assert low <= result.min()
    assert result.max() <= high


SYSTEM = system_of([(4,), (4,), (4, 3)])
RANGES = {X: (-8, 7), GAIN: (0, 15), 2: (-1, 1)}
MOVED = IndexMap((0,), 0, 4, offset=1)
STEP = Affine(SPACE, (Term(1, X, (MOVED,)), Term(-1, X, (0,))), ())
"""x[i + 1] - x[i], where x is 0 beyond its end."""


def sum_of(*terms: Term, space: Shape = SPACE, constants: tuple[Constant, ...] = ()) -> Affine:
    return Affine(space, terms, constants)


def test_a_value_and_its_gain_are_a_maximum() -> None:
    total = sum_of(Term(3, X, (0,)), Term(3, GAIN, (0,)))
    assert affine_range(SYSTEM, total, RANGES) == (-24, 66)
    assert bounds(SYSTEM, RANGES, STEP, total) == (-24, 21)


def test_under_a_window_too() -> None:
    slide = IndexMap((1,), 0, 2, stride=2, taps=2)
    total = sum_of(Term(1, X, (slide,)), Term(1, GAIN, (slide,)), space=(5, 2))
    assert bounds(SYSTEM, RANGES, STEP, total) == (-16, 14)


@pytest.mark.parametrize(
    "total",
    [
        sum_of(Term(1, X, (0,)), Term(2, GAIN, (0,))),
        sum_of(Term(1, X, (MOVED,)), Term(1, GAIN, (MOVED,)), Term(1, X, (0,)), Term(1, GAIN, (0,))),
        sum_of(Term(1, X, (1,)), Term(1, GAIN, (0,)), space=(4, 4)),
        sum_of(Term(1, GAIN, (0,))),
    ],
)
def test_other_sums_are_none(total: Affine) -> None:
    """Another factor, or other places; the second sum is two maxima."""
    low, high = bounds(SYSTEM, RANGES, STEP, total)
    plain = affine_range(SYSTEM, total, RANGES)
    assert (low, high) == plain or (len(total.terms) == 4 and (low, high) == (-16, 14))


@pytest.mark.parametrize(
    "values",
    [
        np.maximum(ARGUMENTS + 1, 0),
        np.maximum(ARGUMENTS - 1, 0),
        2 * np.maximum(ARGUMENTS, 0),
        0 * ARGUMENTS,
        ARGUMENTS,
        np.clip(ARGUMENTS, 0, BOUND - 2),
        np.where(ARGUMENTS == 2, 3, np.maximum(ARGUMENTS, 0)),
    ],
)
def test_another_table_makes_no_maximum(values: IntArray) -> None:
    other = LookupTable(-BOUND, 2 * BOUND, Table.from_values(-BOUND, values), 0)
    total = sum_of(Term(1, X, (0,)), Term(1, GAIN, (0,)))
    assert bounds(SYSTEM, RANGES, STEP, total, other) == affine_range(SYSTEM, total, RANGES)


def test_an_axis_that_a_term_lacks_is_no_window() -> None:
    """y[i] - b with one number b: two places of b + gain are 2 b + two gains, not b + two gains."""
    system = system_of([(), (4,), (4,)])
    ranges = {0: (-8, 7), GAIN: (0, 15), 2: (-8, 7)}
    argument = sum_of(Term(1, 2, (0,)), Term(-1, 0, ()))
    both = IndexMap((0,), 0, 2, stride=2, taps=2)
    total = sum_of(Term(1, 0, ()), Term(1, GAIN, (both,)), space=(2,))
    assert bounds(system, ranges, argument, total) == affine_range(system, total, ranges)
    plain = sum_of(Term(1, 0, ()), Term(1, GAIN, (0,)))
    assert bounds(system, ranges, argument, plain) == (-8, 7)


@pytest.mark.parametrize(
    "window",
    [IndexMap((0,), 0, 2, stride=2, taps=2), IndexMap((0,), 0, 4, scale=(2, 2, 2, 2))],
    ids=["taps", "scales"],
)
def test_a_constant_under_a_window_counts_as_often_as_it_is_met(window: IndexMap) -> None:
    """Two of x - 5 + gain are two of x + gain, less 10: less 5, they are no two maxima."""
    argument = sum_of(*STEP.terms, constants=(Constant(5),))
    terms, space = (Term(1, X, (window,)), Term(1, GAIN, (window,))), (window.end,)
    total = sum_of(*terms, space=space, constants=(Constant(-5),))
    # x + gain is at most 12, at each index.
    assert bounds(SYSTEM, RANGES, argument, total)[1] >= 2 * 12 - 5


def test_a_constant_on_a_part_is_not_seen_through_a_map() -> None:
    """x[i] + gain[i] - 5 for i < 2 is a maximum; with i + 1 for i in x and gain alone, it is less by 5."""
    part = IndexMap.covering((0,), 0, 2)
    argument = sum_of(*STEP.terms, constants=(Constant(5, (part,)),))
    plain = sum_of(Term(1, X, (0,)), Term(1, GAIN, (0,)), constants=(Constant(-5, (part,)),))
    assert bounds(SYSTEM, RANGES, argument, plain) == (-8, 7)
    after = IndexMap((0,), 0, 3, offset=1)
    terms = Term(1, X, (after,)), Term(1, GAIN, (after,))
    moved = sum_of(*terms, space=(3,), constants=(Constant(-5, (part,)),))
    # x = -8 everywhere: at i = 1 there is no gain.
    assert bounds(SYSTEM, RANGES, argument, moved)[0] <= -8 - 5


JOINED = IndexMap((0, 1), 0, 4)


def test_axes_of_the_gain_may_be_joined() -> None:
    total = sum_of(Term(1, X, (JOINED,)), Term(1, GAIN, (JOINED,)), space=(2, 2))
    assert bounds(SYSTEM, RANGES, STEP, total) == (-8, 7)


def test_a_gain_that_it_is_compared_with_itself() -> None:
    argument = sum_of(Term(1, X, (0,)), Term(-1, GAIN, (0,)))
    total = sum_of(Term(1, GAIN, (0,)))
    assert bounds(SYSTEM, RANGES, argument, total) == (0, 15)
    twice = sum_of(Term(1, GAIN, (0,)), Term(1, GAIN, (0,)))
    assert bounds(SYSTEM, RANGES, argument, twice) == (0, 15)


def test_what_is_looked_for_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maxima_module, "MAX_STEPS", 1)
    total = sum_of(Term(3, X, (0,)), Term(3, GAIN, (0,)))
    assert bounds(SYSTEM, RANGES, STEP, total) == affine_range(SYSTEM, total, RANGES)


def test_long_scales_count_as_they_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    slide = IndexMap((0,), 0, 640, stride=0, scale=(1,) * 640)
    total = sum_of(Term(1, X, (slide,)), Term(1, GAIN, (slide,)), space=(640,))
    steps = len(STEP.terms) * (1 + 640 // maxima_module.SCALES_A_STEP)
    monkeypatch.setattr(maxima_module, "MAX_STEPS", steps)
    assert bounds(SYSTEM, RANGES, STEP, total) == (-8, 7)
    monkeypatch.setattr(maxima_module, "MAX_STEPS", steps - 1)
    assert bounds(SYSTEM, RANGES, STEP, total) == affine_range(SYSTEM, total, RANGES)


def test_long_scales_of_an_argument_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are compared with those of the sum, for each term of the gain."""
    scaled = IndexMap((0,), 0, 640, stride=0, scale=(1,) * 640)
    system = system_of([(4,), (640,)])
    argument = sum_of(Term(1, X, (scaled,)), space=(640,))
    total = sum_of(Term(-1, X, (scaled,)), Term(1, GAIN, (0,)), space=(640,))
    ranges = {X: (-8, 7), GAIN: (0, 15)}
    steps = 1 + 640 // maxima_module.SCALES_A_STEP
    monkeypatch.setattr(maxima_module, "MAX_STEPS", steps)
    assert bounds(system, ranges, argument, total) == (0, 8)
    monkeypatch.setattr(maxima_module, "MAX_STEPS", steps - 1)
    assert bounds(system, ranges, argument, total) == affine_range(system, total, ranges)


@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 0, 1)])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 3), (1, 4)])
@pytest.mark.parametrize("interval", [(-128, 127), (0, 255), (-9, 3)])
def test_a_max_pool_has_the_range_of_its_input(kernel: Shape, pads: Shape, interval: tuple[int, int]) -> None:
    network = Network((1, 2, 8, 8), interval=interval)
    pooled = network.max_pool(network.max_pool("x", kernel, (1, 1), pads), (2, 2), (2, 2))
    model = network.model(pooled)
    assert analyse(model).intervals[pooled] == interval
    system = lower(model).system
    ranges = proven_ranges(system)
    (between,) = (k for k, tensor in enumerate(system.tensors) if tensor.name == "max_pool1 input")
    assert ranges[between] == interval
