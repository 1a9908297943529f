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
from deepprove_dist.kernels import AxisVector, BaseVector, Extension, Terms
from deepprove_dist.protocol.claims.columns import mask_addresses
from deepprove_dist.protocol.claims.layout import Layout, arrange, lay_out, split_axis
from deepprove_dist.protocol.parameters import LOG_TAIL_STEPS, InitialCode
from deepprove_dist.protocol.system.system import Matrix, System
from tests.protocol.naive import addresses, challenges, eq, integers, positions, system_of
from tests.protocol.parameters.shapes import changed_matrix, hiding_code

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
        (matrix, layout.first_column(matrix) << log_rows, layout.columns[matrix]) for matrix in layout.columns
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
def test_spans_are_the_lengths_of_different_intervals_along_an_axis(system: System, log_rows: int) -> None:
    """Two are different too where the axes after them take other numbers of bits."""
    layout = lay_out(system, log_rows)
    for blocks, spans in zip(layout.blocks, layout.spans, strict=True):
        for axis, span in enumerate(spans):
            seen = [
                (block.intervals[axis], sum(log for _, log in block.intervals[axis + 1 :]))
                for block in blocks
            ]
            different = {(interval, bits if interval[1] else 0) for interval, bits in seen}
            assert span == sum(1 << log for (_, log), _ in different)


@given(system=systems, log_rows=st.integers(1, 9))
def test_values_are_arranged_by_their_positions(system: System, log_rows: int) -> None:
    layout = lay_out(system, log_rows)
    tensors = [integers(index, tensor.shape) for index, tensor in enumerate(system.tensors)]
    vectors = {index: BaseVector.from_array(values.reshape(-1)) for index, values in enumerate(tensors)}
    expected = np.zeros(sum(layout.columns.values()) << log_rows, dtype=np.int64)
    for index, values in enumerate(tensors):
        expected[positions(layout, index, values.shape)] = values
    arranged = [arrange(system, layout, matrix, vectors) for matrix in layout.matrices]
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


@st.composite
def hiding_layouts(draw: st.DrawFn) -> tuple[System, InitialCode]:
    """A system with weights, and a hiding code of the fewest columns that hold it."""
    shapes_of = st.lists(shapes, min_size=1, max_size=5)
    system, log_rows = system_of(draw(shapes_of), draw(shapes_of)), draw(st.integers(4, 7))
    tail = draw(st.integers(1, 15)) << log_rows - LOG_TAIL_STEPS
    weights = max(5, -(-system.values(Matrix.WEIGHTS) // ((1 << log_rows) - tail)))
    witness = max(5, -(-system.values(Matrix.WITNESS) // (1 << log_rows)))
    while witness <= (weights + witness - 1).bit_length():
        witness += 1
    return system, hiding_code(log_rows, 6, 1, weights, witness, tail)


@given(case=hiding_layouts())
def test_blocks_of_hidden_weights_stay_out_of_the_tail(case: tuple[System, InitialCode]) -> None:
    system, code = case
    layout, rows = lay_out(system, code.log_rows, code=code), 1 << code.log_rows
    for matrix in layout.columns:
        free, first = rows - code.tail(matrix.value), layout.first_column(matrix)
        tensors = [index for index, tensor in enumerate(system.tensors) if tensor.matrix is matrix]
        blocks = [block for index in tensors for block in layout.blocks[index]]
        for block in blocks:
            size, row = 1 << block.log_size, block.position % rows
            assert block.position % size == 0
            assert row + size <= free
            assert first <= block.position // rows < first + layout.columns[matrix]
        # Without gaps: columns are filled one after the other, up to the tail.
        filled = sorted(index for tensor in tensors for index in all_positions(system, layout, tensor))
        expected = [(first + k // free) * rows + k % free for k in range(len(filled))]
        assert filled == expected
        assert layout.needed[matrix] == -(-len(filled) // free)
        assert layout.columns[matrix] >= layout.needed[matrix]


@given(case=hiding_layouts())
def test_addresses_are_positions_with_columns_in_another_order(case: tuple[System, InitialCode]) -> None:
    system, code = case
    layout = lay_out(system, code.log_rows, code=code)
    assert sorted(layout.addresses) == list(range(code.columns))
    assert [layout.addresses[column] for column in layout.order] == list(range(code.columns))
    of_matrices = [address for matrix in Matrix for address in layout.addresses_of(matrix)]
    assert tuple(of_matrices) == layout.addresses
    assert set(mask_addresses(code)) <= set(layout.addresses_of(Matrix.WITNESS))
    point = challenges(1, code.column_rounds + code.log_rows)
    weights = eq(point)
    for index, tensor in enumerate(system.tensors):
        ones = [AxisVector.ones()] * len(tensor.shape)
        terms = Terms()
        terms.add_product(Extension(1), layout.cube_blocks[index], ones)
        every = addresses(layout, index, tensor.shape).reshape(-1)
        assert terms.evaluate(point) == sum((weights[int(a)] for a in every), Extension(0))


def test_a_code_of_other_sizes_is_refused() -> None:
    system = system_of([(40,)], [(41,)])
    code = hiding_code(4, 6, 1, 5, 6, 8)
    with pytest.raises(FormatError, match="for other sizes"):
        lay_out(system, 4, code=code)
    needed = lay_out(system, 4, code=changed_matrix(code, "weights", columns=6)).needed
    assert (needed[Matrix.WEIGHTS], needed[Matrix.WITNESS]) == (6, 3)


def all_positions(system: System, layout: Layout, index: int) -> list[int]:
    shape = system.tensors[index].shape
    result = positions(layout, index, shape)
    assert result.shape == shape
    assert result.size == prod(shape)
    return [int(address) for address in result.reshape(-1)]
