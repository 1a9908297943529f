"""Every value has its own place, without gaps, in aligned blocks that no column cuts."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.claims.layout import Layout, arrange, lay_out, split_axis
from deepprove_dist.protocol.system.system import Matrix, System
from tests.protocol.naive import integers, positions, system_of

shapes = st.lists(st.integers(1, 9), max_size=3).map(tuple)
systems = st.builds(system_of, st.lists(shapes, min_size=1, max_size=5), st.lists(shapes, max_size=5))


@given(size=st.integers(1, 5000))
def test_an_axis_splits_by_its_binary_digits(size: int) -> None:
    intervals = split_axis(size)
    assert len(intervals) == size.bit_count()
    assert [index for start, log in intervals for index in range(start, start + (1 << log))] == list(
        range(size)
    )
    assert all(start % (1 << log) == 0 for start, log in intervals)


@given(system=systems, log_rows=st.integers(1, 9))
def test_values_fill_each_matrix_from_its_start(system: System, log_rows: int) -> None:
    layout = lay_out(system, log_rows)
    for matrix, first, columns in [
        (matrix, layout.first_column(matrix) << log_rows, layout.columns[matrix]) for matrix in Matrix
    ]:
        tensors = [index for index, tensor in enumerate(system.tensors) if tensor.matrix is matrix]
        places = [address for index in tensors for address in all_positions(system, layout, index)]
        # Injective and without gaps at once: sorted, they are one range.
        assert sorted(places) == list(range(first, first + len(places)))
        assert len(places) == system.values(matrix)
        assert columns == -(-len(places) // (1 << log_rows))


@given(system=systems, log_rows=st.integers(1, 9))
def test_blocks_are_aligned_subcubes_of_one_column(system: System, log_rows: int) -> None:
    for blocks in lay_out(system, log_rows).blocks:
        for block in blocks:
            assert block.log_size <= log_rows
            assert block.position % (1 << block.log_size) == 0
            assert all(start % (1 << log) == 0 for start, log in block.intervals)


@given(system=systems, log_rows=st.integers(1, 9))
def test_blocks_cover_each_tensor_once(system: System, log_rows: int) -> None:
    layout = lay_out(system, log_rows)
    for tensor, blocks in zip(system.tensors, layout.blocks, strict=True):
        places = [
            position
            for block in blocks
            for position in product(*(range(start, start + (1 << log)) for start, log in block.intervals))
        ]
        assert sorted(places) == list(np.ndindex(*tensor.shape))


@given(system=systems, log_rows=st.integers(1, 9))
def test_spans_are_the_lengths_of_blocks_along_an_axis(system: System, log_rows: int) -> None:
    layout = lay_out(system, log_rows)
    for blocks, spans in zip(layout.blocks, layout.spans, strict=True):
        for axis, span in enumerate(spans):
            assert span == sum(1 << block.intervals[axis][1] for block in blocks)


@given(system=systems, log_rows=st.integers(1, 9))
def test_values_are_arranged_by_their_positions(system: System, log_rows: int) -> None:
    layout = lay_out(system, log_rows)
    tensors = [integers(index, tensor.shape) for index, tensor in enumerate(system.tensors)]
    vectors = {index: BaseVector.from_array(values.reshape(-1)) for index, values in enumerate(tensors)}
    expected = np.zeros(sum(layout.columns.values()) << log_rows, dtype=np.int64)
    for index, values in enumerate(tensors):
        expected[positions(layout, index, values.shape)] = values
    arranged = [arrange(system, layout, matrix, vectors) for matrix in Matrix]
    assert np.array_equal(np.concatenate([part.to_array() for part in arranged]), expected % MODULUS)


@given(system=systems, log_rows=st.integers(1, 9))
def test_the_layout_is_a_function_of_shapes(system: System, log_rows: int) -> None:
    again = system_of(
        [tensor.shape for tensor in system.tensors if tensor.matrix is Matrix.WITNESS],
        [tensor.shape for tensor in system.tensors if tensor.matrix is Matrix.WEIGHTS],
    )
    first, second = lay_out(system, log_rows), lay_out(again, log_rows)
    assert first.blocks == second.blocks
    assert first.columns == second.columns


def test_tensors_of_a_matrix_that_is_not_committed_have_no_place() -> None:
    layout = lay_out(system_of([(5,)], [(3, 3)]), 3, committed=(Matrix.WITNESS,))
    assert layout.columns == {Matrix.WITNESS: 1}
    assert layout.blocks[1] == ()
    assert [block.position for block in layout.blocks[0]] == [0, 4]


@pytest.mark.parametrize(
    ("shape", "log_rows"),
    [
        ((3,) * 16 + (3,), 7),
        ((1 << 34,), 7),
        ((255,) * 6, 7),
        ((1 << 20, (1 << 14) - 1), 7),
        # Few columns.
        ((7,) * 11, 24),
        # Few blocks, of many axes.
        ((3,) * 14, 24),
    ],
)
def test_tensors_of_too_many_blocks_are_refused_at_once(shape: Shape, log_rows: int) -> None:
    with pytest.raises(FormatError, match="blocks"):
        lay_out(system_of([shape]), log_rows)


def all_positions(system: System, layout: Layout, index: int) -> list[int]:
    shape = system.tensors[index].shape
    result = positions(layout, index, shape)
    assert result.shape == shape
    assert result.size == prod(shape)
    return [int(address) for address in result.reshape(-1)]
