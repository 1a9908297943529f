"""Operators with windows, sums and arrangements, against plain loops over Python integers."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.registry import OPERATORS

LOW, HIGH = -5, 9


def node(operator: str, *inputs: str, **attributes: Attribute) -> Node:
    return Node(operator, "n", inputs, "y", attributes)


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """Attributes of a window over one or two axes, a size that it fits, and channels."""
    rank = draw(st.integers(1, 2))

    def sizes(low: int, high: int, count: int = rank) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    window = {
        "kernel": sizes(1, 3),
        "strides": sizes(1, 3),
        "dilations": sizes(1, 2),
        "pads": sizes(0, 2, 2 * rank),
    }
    window["size"] = sizes(1, 6)
    reach = zip(window["size"], window["kernel"], window["dilations"], strict=True)
    extents = [(size, dilation * (kernel - 1) + 1) for size, kernel, dilation in reach]
    pads = window["pads"]
    assume(all(size + pads[a] + pads[rank + a] >= extent for a, (size, extent) in enumerate(extents)))
    return window


def attributes(window: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: window[name] for name in names}


def positions(window: dict[str, Any]) -> tuple[int, ...]:
    """Sizes of the output's spatial axes."""
    rank = len(window["size"])
    return tuple(
        (
            size
            + window["pads"][a]
            + window["pads"][rank + a]
            - window["dilations"][a] * (window["kernel"][a] - 1)
            - 1
        )
        // window["strides"][a]
        + 1
        for a, size in enumerate(window["size"])
    )


def inside(window: dict[str, Any], output: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The window's places within the input, each with the input's position."""
    result = []
    for offset in product(*map(range, window["kernel"])):
        position = tuple(
            window["strides"][a] * output[a] + window["dilations"][a] * offset[a] - window["pads"][a]
            for a in range(len(output))
        )
        if all(0 <= position < size for position, size in zip(position, window["size"], strict=True)):
            result.append((offset, position))
    return result


def random_input(window: dict[str, Any], channels: int, seed: int) -> IntArray:
    return np.random.default_rng(seed).integers(LOW, HIGH, (2, 1, channels, *window["size"]), endpoint=True)


@given(windows(), st.sampled_from([(1, 1), (2, 2), (1, 3)]), st.booleans(), st.integers(0, 2**32 - 1))
def test_convolution(window: dict[str, Any], grouping: tuple[int, int], biased: bool, seed: int) -> None:
    groups, per_group = grouping
    x = random_input(window, 2 * groups, seed)
    generator = np.random.default_rng(seed)
    weight = generator.integers(-50, 50, (per_group * groups, 2, *window["kernel"]))
    constants = {"w": weight, "b": generator.integers(-90, 90, per_group * groups)}
    names = ["w", "b"] if biased else ["w"]
    conv = node("conv", "x", *names, groups=groups, **attributes(window, "strides", "dilations", "pads"))
    operator = OPERATORS["conv"]
    operator.check(conv)
    shape = operator.shape(conv, [x.shape[1:], *(constants[name].shape for name in names)])
    assert shape == (1, per_group * groups, *positions(window))
    output = operator.infer(conv, [x, *(constants[name].astype(np.float64) for name in names)]).output
    assert output.shape == (2, *shape)
    low, high = operator.interval(conv, [(LOW, HIGH)], constants)
    for sample, channel, *at in product(range(2), range(per_group * groups), *map(range, positions(window))):
        expected = int(constants["b"][channel]) if biased else 0
        for offset, position in inside(window, tuple(at)):
            for c in range(2):
                source = x[(sample, 0, channel // per_group * 2 + c, *position)]
                expected += int(weight[(channel, c, *offset)]) * int(source)
        assert output[(sample, 0, channel, *at)] == expected
        assert low <= expected <= high


def test_convolution_without_spatial_axes_scales_channels() -> None:
    none: tuple[int, ...] = ()
    conv = node("conv", "x", "w", strides=none, pads=none, dilations=none, groups=3)
    weight = np.array([[2], [3], [-5]])
    assert OPERATORS["conv"].shape(conv, [(1, 3), (3, 1)]) == (1, 3)
    output = OPERATORS["conv"].infer(conv, [np.array([[[1, 10, 100]]]), weight.astype(np.float64)]).output
    assert output.tolist() == [[[2, 30, -500]]]


@given(windows(), st.integers(0, 2**32 - 1))
def test_max_pool_and_its_gains(window: dict[str, Any], seed: int) -> None:
    x = random_input(window, 2, seed)
    pool = node("max_pool", "x", minimum=LOW, **attributes(window, "kernel", "strides", "dilations", "pads"))
    operator = OPERATORS["max_pool"]
    operator.check(pool)
    assert operator.shape(pool, [x.shape[1:]]) == (1, 2, *positions(window))
    assert operator.interval(pool, [(LOW, HIGH)], {}) == (LOW, HIGH)
    inference = operator.infer(pool, [x])
    for sample, channel, *at in product(range(2), range(2), *map(range, positions(window))):
        values = [int(x[(sample, 0, channel, *position)]) for _, position in inside(window, tuple(at))]
        assert inference.output[(sample, 0, channel, *at)] == max(values, default=LOW)
    expected = {f"d{axis}_{i}" for axis, size in enumerate(window["kernel"]) for i in range(1, size)}
    assert set(inference.columns) == expected
    assert all(column.min() >= 0 and column.max() <= HIGH - LOW for column in inference.columns.values())


def test_gains_lead_from_the_first_place_to_the_maximum() -> None:
    pool = node(
        "max_pool", "x", minimum=-8, kernel=(2, 3), strides=(2, 3), dilations=(1, 1), pads=(0, 0, 0, 1)
    )
    x = np.array([[[[[1, 5, 3, -7, -8], [2, 0, 9, 4, -3]]]]])
    inference = OPERATORS["max_pool"].infer(pool, [x])
    assert inference.output.tolist() == [[[[[9, 4]]]]]
    columns = {name: column[0, 0, 0].tolist() for name, column in inference.columns.items()}
    # Along the second axis first, rows apart: 1 5 5, -7 -7 -7 (a position outside is -8); 2 2 9, 4 4 4.
    expected: dict[str, Any] = {"d1_1": [[4, 0], [0, 0]], "d1_2": [[0, 0], [7, 0]], "d0_1": [[4, 11]]}
    assert columns == expected


@given(windows(), st.integers(0, 2**32 - 1))
def test_sum_pool(window: dict[str, Any], seed: int) -> None:
    x = random_input(window, 2, seed)
    generator = np.random.default_rng(seed)
    weights = [generator.integers(-3, 7, size).tolist() for size in positions(window)]
    flat = tuple(weight for axis in weights for weight in axis)
    stated = attributes(window, "kernel", "strides", "dilations", "pads")
    pool = node("sum_pool", "x", places=positions(window), weights=flat, **stated)
    operator = OPERATORS["sum_pool"]
    operator.check(pool)
    assert operator.shape(pool, [x.shape[1:]]) == (1, 2, *positions(window))
    output = operator.infer(pool, [x]).output
    low, high = operator.interval(pool, [(LOW, HIGH)], {})
    for sample, channel, *at in product(range(2), range(2), *map(range, positions(window))):
        expected = sum(int(x[(sample, 0, channel, *position)]) for _, position in inside(window, tuple(at)))
        for axis, position in enumerate(at):
            expected *= weights[axis][position]
        assert output[(sample, 0, channel, *at)] == expected
        assert low <= expected <= high


def test_weighted_sum_and_its_interval() -> None:
    operator = OPERATORS["weighted_sum"]
    total = node("weighted_sum", "a", "b", "a", multipliers=(3, -2, 1), constant=7)
    a, b = np.array([[[1, 2]]]), np.array([[[10, -10]]])
    operator.check(total)
    assert operator.shape(total, [(1, 2)] * 3) == (1, 2)
    assert operator.infer(total, [a, b, a]).output.tolist() == [[[-9, 35]]]
    assert operator.interval(total, [(-1, 2), (-10, 10), (0, 5)], {}) == (-3 - 20 + 7, 6 + 20 + 5 + 7)


def test_arrangements() -> None:
    x = np.arange(12).reshape(2, 1, 2, 3)
    transpose = node("transpose", "x", permutation=(2, 0, 1))
    assert OPERATORS["transpose"].shape(transpose, [(1, 2, 3)]) == (3, 1, 2)
    assert np.array_equal(OPERATORS["transpose"].infer(transpose, [x]).output, x.transpose(0, 3, 1, 2))
    concat = node("concat", "x", "x", axis=1)
    assert OPERATORS["concat"].shape(concat, [(1, 2, 3), (1, 4, 3)]) == (1, 6, 3)
    assert OPERATORS["concat"].interval(concat, [(-1, 2), (0, 5)], {}) == (-1, 5)
    assert np.array_equal(OPERATORS["concat"].infer(concat, [x, x]).output, np.concatenate([x, x], axis=2))
    pad = node("pad", "x", pads=(0, 1, 0, 0, 0, 2))
    assert OPERATORS["pad"].shape(pad, [(1, 2, 3)]) == (1, 3, 5)
    assert OPERATORS["pad"].interval(pad, [(3, 5)], {}) == (0, 5)
    assert OPERATORS["pad"].infer(pad, [x]).output[0, 0].tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 2, 0, 0],
        [3, 4, 5, 0, 0],
    ]


WINDOW: dict[str, Attribute] = {"strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1)}


@pytest.mark.parametrize(
    ("bad", "shapes"),
    [
        (node("conv", "x", "w", groups=1, **WINDOW), [(1, 3, 4, 4), (2, 2, 3, 3)]),
        (node("conv", "x", "w", groups=2, **WINDOW), [(1, 4, 4, 4), (3, 2, 3, 3)]),
        (node("conv", "x", "w", groups=0, **WINDOW), [(1, 3, 4, 4), (2, 3, 3, 3)]),
        (node("conv", "x", "w", groups=1, **WINDOW), [(1, 3, 4), (2, 3, 3)]),
        (node("conv", "x", "w", groups=1, **WINDOW), [(1, 3, 2, 4), (2, 3, 3, 3)]),
        (node("conv", "x", "w", "b", groups=1, **WINDOW), [(1, 3, 4, 4), (2, 3, 3, 3), (3,)]),
        (node("conv", "x", "w", groups=1, **{**WINDOW, "strides": (0, 1)}), [(1, 3, 4, 4), (2, 3, 3, 3)]),
        (node("conv", "x", "w", groups=1, **{**WINDOW, "pads": (-1, 0, 0, 0)}), [(1, 3, 4, 4), (2, 3, 3, 3)]),
        (node("conv", "x", "w", groups=1, **{**WINDOW, "pads": (2**40,) * 4}), [(1, 3, 4, 4), (2, 3, 3, 3)]),
        (node("max_pool", "x", kernel=(2,), minimum=0, **WINDOW), [(1, 3, 4, 4)]),
        (node("max_pool", "x", kernel=(2, 5), minimum=0, **WINDOW), [(1, 3, 4, 4)]),
        (node("sum_pool", "x", kernel=(2, 2), places=(3, 3), weights=(1,) * 5, **WINDOW), [(1, 3, 4, 4)]),
        (node("sum_pool", "x", kernel=(2, 2), places=(2, 4), weights=(1,) * 6, **WINDOW), [(1, 3, 4, 4)]),
        (node("weighted_sum", "x", "z", multipliers=(1,), constant=0), [(1, 3), (1, 3)]),
        (node("weighted_sum", "x", "z", multipliers=(1, 1), constant=0), [(1, 3), (1, 4)]),
        (node("transpose", "x", permutation=(0, 0)), [(1, 3)]),
        (node("transpose", "x", permutation=(0, 1, 2)), [(1, 3)]),
        (node("concat", "x", "z", axis=1), [(1, 3), (2, 3)]),
        (node("concat", "x", "z", axis=-1), [(1, 3), (1, 3)]),
        (node("concat", "x", "z", axis=2), [(1, 3), (1, 3)]),
        (node("pad", "x", pads=(0, 1, 0)), [(1, 3)]),
        (node("pad", "x", pads=(0, -1, 0, 2)), [(1, 3)]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(bad: Node, shapes: list[tuple[int, ...]]) -> None:
    OPERATORS[bad.operator].check(bad)
    with pytest.raises(ModelError, match="'n'"):
        OPERATORS[bad.operator].shape(bad, shapes)


def test_sums_beyond_floats_are_refused() -> None:
    with pytest.raises(ModelError, match="2\\^52"):
        OPERATORS["weighted_sum"].interval(
            node("weighted_sum", "x", multipliers=(2**40,), constant=0), [(0, 2**12)], {}
        )
    pool = node("sum_pool", "x", kernel=(2, 2), places=(1, 1), weights=(2**20, 2**20), **WINDOW)
    with pytest.raises(ModelError, match="2\\^52"):
        OPERATORS["sum_pool"].interval(pool, [(0, 2**12)], {})
    conv = node("conv", "x", "w", groups=1, **WINDOW)
    with pytest.raises(ModelError, match="2\\^52"):
        OPERATORS["conv"].interval(conv, [(0, 2**30)], {"w": np.full((1, 1, 1, 1), 2**30)})
    with pytest.raises(ModelError, match="constants"):
        OPERATORS["conv"].interval(conv, [(0, 1)], {})


def test_a_pool_states_the_minimum_of_its_input() -> None:
    pool = node("max_pool", "x", kernel=(2, 2), minimum=-7, **WINDOW)
    with pytest.raises(ModelError, match="minimum"):
        OPERATORS["max_pool"].interval(pool, [(-8, 3)], {})
