"""Sums of products of small integers by the kernel: those of int64 for any weights, or refused."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.small_products import PackedWeights, SmallConvolution, small_rows
from deepprove_dist.operators.window import Window
from deepprove_dist.protocol.system.table import Table

WINDOWS = (
    Window((), (), (), ()),
    Window((3,), (2,), (1, 0), (1,)),
    Window((3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    Window((2, 3), (2, 1), (0, 2, 1, 0), (2, 1)),
    Window((1, 2, 2), (1, 2, 1), (0, 0, 1, 0, 1, 0), (1, 1, 2)),
)


def _sums(x: npt.NDArray[np.int64], weight: npt.NDArray[np.int64], window: Window, groups: int) -> IntArray:
    """By the definition, in int64: [N, M, *positions]."""
    view = window.view(x, 0)
    rows = len(weight) // groups
    results = []
    for group in range(groups):
        channels = view[:, group * weight.shape[1] : (group + 1) * weight.shape[1]]
        kernel = weight[group * rows : (group + 1) * rows]
        spatial = tuple(range(2 + window.rank, 2 + 2 * window.rank))
        axes = ((1, *spatial), tuple(range(1, 2 + window.rank)))
        results.append(np.moveaxis(np.tensordot(channels, kernel, axes), -1, 1))
    return np.concatenate(results, axis=1)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("groups", "rows", "channels"), [(1, 40, 5), (4, 1, 1), (2, 13, 3)])
@pytest.mark.parametrize("largest", [2**7, 2**15, 90_000, 2**20])
def test_convolutions_are_exact(window: Window, groups: int, rows: int, channels: int, largest: int) -> None:
    """Of weights of any width, in parts of the positions."""
    generator = np.random.default_rng(largest + groups)
    most = 200 if largest < 2**20 else 14
    x = generator.integers(-most, most, (2, groups * channels, *(7, 9, 6)[: window.rank]))
    weight = generator.integers(-largest, largest, (groups * rows, channels, *window.kernel))
    weight[0] = -largest
    bias = generator.integers(-(2**40), 2**40, len(weight))
    packed = PackedWeights.of(weight.astype(np.int32 if largest > 2**15 else np.int16), groups)
    assert packed is not None
    small = SmallConvolution.of(x, packed, [bias], window)
    assert small is not None
    sums = np.empty((2, len(weight), *window.output(x.shape[2:])), dtype=np.int64)
    middle = len(small.columns) // 2
    small.write(sums, 0, middle)
    small.write(sums, middle, len(small.columns))
    assert np.array_equal(sums, _sums(x, weight, window, groups) + bias.reshape(-1, *(1,) * window.rank))


@pytest.mark.parametrize("count", [1, 5, 40])
@pytest.mark.parametrize("largest", [100, 2**15, 2**19])
def test_rows_are_exact(count: int, largest: int) -> None:
    generator = np.random.default_rng(count)
    most = 300 if largest < 2**19 else 50
    x = generator.integers(-most, most, (count, 77))
    weight = generator.integers(-largest, largest, (50, 77)).astype(np.int32)
    weight = weight.astype(np.int16) if largest <= 2**15 else weight
    packed = PackedWeights.of(weight)
    assert packed is not None
    for given in (weight, packed):
        sums = small_rows(x, given)
        if given is packed or largest <= 2**15:
            assert sums is not None
            assert np.array_equal(sums, x @ weight.T.astype(np.int64))
        else:
            assert sums is None


def test_sums_that_might_not_fit_are_left_to_floats() -> None:
    """By the largest row and the largest value; one less of the latter is taken."""
    packed = PackedWeights.of(np.full((4, 1024), 2**14, dtype=np.int16))
    assert packed is not None
    assert packed.takes(127)
    assert not packed.takes(128)
    assert small_rows(np.full((5, 1024), 128), packed) is None
    assert small_rows(np.full((1, 4), 2**15), np.zeros((3, 4), dtype=np.int16)) is None
    assert PackedWeights.of(np.full((2, 3), 2**31 - 1)) is not None
    assert PackedWeights.of(np.full((2, 3), 2**31)) is None


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize(
    "values",
    [np.arange(-9, 30).clip(0, 12), np.arange(-9, 30) ** 2, [0, 0, 5, 6, 7], [0, 1, 2, 9, 9], [3], [1, 2]],
)
def test_tables_are_applied_to_quotients(values: npt.ArrayLike, shift: int) -> None:
    """Lines that are cut at both ends, and others, up to the ends of the domain."""
    table = Table.from_values(-9, np.asarray(values))
    half = (1 << shift) >> 1
    lowest, highest = (-9 << shift) - half, ((table.size - 9) << shift) - half - 1
    x = np.arange(lowest, highest + 1).reshape(1, -1)
    assert np.array_equal(table.apply(x, shift), np.asarray(values)[((x + half) >> shift) + 9])
    for beyond in (lowest - 1, highest + 1):
        with pytest.raises(ModelError, match="outside"):
            table.apply(np.array([beyond]), shift)


def test_weights_at_any_address_are_packed() -> None:
    """As a mapped file has them."""
    stored = np.zeros(2 * 12 + 1, dtype=np.uint8)[1:].view(np.int16).reshape(3, 4)
    stored[...] = np.arange(-6, 6).reshape(3, 4)
    assert not stored.flags.aligned
    weight, rows = PackedWeights.of(stored), np.arange(8).reshape(2, 4)
    assert weight is not None
    result = small_rows(rows, weight)
    assert result is not None
    np.testing.assert_array_equal(result, rows @ stored.T.astype(np.int64))
