"""Tables that are constant outside of a window are split, and say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.wide_table import LEAST_SAVING, WindowedTable
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.system.table import Table
from tests.lowering.networks import Network


def clamp(first: int, size: int, low: int, high: int) -> Table:
    """min(max(q, low), high) of `size` integers from `first` on."""
    return Table.from_values(first, np.clip(np.arange(first, first + size), low, high))


def wide_model(outputs: int = 3, low: int = -100, high: int = 90) -> IntegerModel:
    """A dense layer whose accumulators are clamped as they are."""
    network = Network((1, 40))
    x = network.dense("x", outputs)
    first, last = network.interval(x)
    table = clamp(first, last - first + 1, low, high)
    return network.model(network.node("requantise", (x,), {"shift": 0, "table": table, "limbs": ()}))


def split_values(window: WindowedTable, arguments: IntArray) -> IntArray:
    """T of the arguments, by blocks and sides."""
    block = (arguments - window.lowest) >> window.bits
    low = (arguments - window.first) & ((1 << window.bits) - 1)
    assert np.array_equal(window.lowest + (block << window.bits) + low, arguments)
    return window.values.apply(low + (window.sides.apply(block) << window.bits))


@given(
    inside=st.lists(st.integers(-5, 5), min_size=1, max_size=40),
    below=st.integers(0, 60),
    above=st.integers(0, 60),
    first=st.integers(-80, 20),
)
def test_both_parts_say_what_the_table_says(inside: list[int], below: int, above: int, first: int) -> None:
    values = np.array([inside[0]] * below + inside + [inside[-1]] * above, dtype=np.int64)
    table = Table.from_values(first, values)
    window = WindowedTable.of(table)
    if window is None:
        return
    arguments = np.arange(first, first + values.size)
    assert np.array_equal(split_values(window, arguments), values)
    assert window.blocks == window.sides.size > 1
    assert window.values.size == 3 << window.bits


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (clamp(-50_000, 100_000, -128, 127), (-127, 8)),
        (clamp(-50_000, 100_000, -100, 90), (-99, 8)),
        (clamp(-50_000, 100_000, 0, 255), (1, 8)),
        (clamp(-50_000, 50_300, 0, 1000), (1, 9)),
        (clamp(-100, 50_000, -200, 27), (-100, 7)),
    ],
)
def test_the_window_is_where_a_table_is_not_constant(table: Table, expected: tuple[int, int]) -> None:
    window = WindowedTable.of(table)
    assert window is not None
    assert (window.first, window.bits) == expected


@pytest.mark.parametrize("table", [clamp(0, 500, 7, 7), clamp(-128, 256, -128, 127), clamp(0, 300, 0, 299)])
def test_what_has_nothing_outside_of_a_window_stays(table: Table) -> None:
    assert WindowedTable.of(table) is None


def test_what_a_split_costs_is_weighed() -> None:
    window = WindowedTable.of(clamp(-50_000, 100_000, -128, 127))
    assert window is not None
    tables = 7 * 256 + 2 * window.blocks
    most = (200_000 - tables - LEAST_SAVING) // 4
    assert window.pays((64,), most, 0)
    assert not window.pays((64,), most + 1, 0)
    # A leaf block of 33 values is padded to 64.
    assert not window.pays((33,), most, 0)
    assert window.pays((64,), 10, 14)
    assert window.blocks << (window.bits + 15) > MODULUS
    assert not window.pays((64,), 10, 15)


def test_a_clamp_of_few_values_needs_no_table_of_all_accumulators() -> None:
    model = wide_model()
    system = lower(model).system
    (node,) = (node for node in model.nodes if node.operator == "requantise")
    table = node.attributes["table"]
    assert isinstance(table, Table)
    assert table.size > 50_000
    assert sum(entry.size for entry in system.tables) < 2_000
    assert {tensor.name.partition(".q.")[2] for tensor in system.tensors} >= {"low", "block", "side"}


@pytest.mark.parametrize(("readers", "is_whole"), [(1, False), (2, True)])
def test_a_table_of_many_values_stays_whole(readers: int, is_whole: bool) -> None:
    """Nodes that share it count together."""
    network = Network((1, 16))
    x = network.dense("x", 10_000)
    first, last = network.interval(x)
    table = clamp(first, last - first + 1, -100, 90)
    attributes = {"shift": 0, "table": table, "limbs": ()}
    clamps = [network.node("requantise", (x,), attributes) for _ in range(readers)]
    sizes = [entry.size for entry in lower(network.model(*clamps)).system.tables]
    assert (table.size in sizes) == is_whole
