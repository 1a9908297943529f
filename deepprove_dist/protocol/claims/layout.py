"""Where every value stands: tensors are cut into dyadic blocks, blocks are put into columns.

An axis of size d splits into popcount(d) aligned dyadic intervals: [0, d) by the binary digits of d, from the
top. A block is a product of such intervals, so a subcube. None exceeds one column of 2^log_rows values.
Blocks stand without gaps, largest first, then in the order of tensors. Each is at a multiple of its size,
since all before it are multiples of it. Weights are columns [0, C_w), the witness [C_w, C_w + C_x).

Where weights are hidden, the last rows of their columns hold random values and no block. Blocks of weights
are then at most 2^(log_rows - 4) values, of which the rows before are a multiple.

The opening's cube of columns has them in an order of its own (`columns`). A value's address there is
`address of its column << log_rows | row`.

The layout is a function of shapes alone; the verifier computes it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product, takewhile
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import BaseVector, DyadicBlocks
from deepprove_dist.protocol.claims.columns import column_addresses
from deepprove_dist.protocol.parameters import LOG_TAIL_STEPS, InitialCode
from deepprove_dist.protocol.system.system import Matrix, System

MAX_BLOCKS = 1 << 16
"""Blocks of all lookups together."""

MAX_INTERVALS = 1 << 17
"""Intervals, one an axis, of the blocks of all tensors: each takes a verifier more than a microsecond."""

DyadicInterval = tuple[int, int]
"""First index and log2 of the length."""


@dataclass(frozen=True)
class DyadicBlock:
    """A subcube of a tensor, and where its first value stands: column << log_rows | row."""

    position: int
    intervals: tuple[DyadicInterval, ...]

    @property
    def log_size(self) -> int:
        """log2 of the number of values."""
        return sum(log for _, log in self.intervals)


@dataclass(frozen=True)
class Layout:
    """The blocks of each tensor, in the tensor's own order, and the columns of all matrices.

    Attributes:
        log_rows: log2 of the rows of a column.
        columns: how many each matrix has, beside its mask columns.
        needed: how many of them hold tensors.
        blocks: of each tensor.
        addresses: of each column, all matrices' one after the other, in the opening's cube of columns.
    """

    log_rows: int
    columns: Mapping[Matrix, int]
    needed: Mapping[Matrix, int]
    blocks: tuple[tuple[DyadicBlock, ...], ...]
    addresses: tuple[int, ...]

    @cached_property
    def stored_blocks(self) -> tuple[DyadicBlocks, ...]:
        """The blocks of each tensor at their positions."""
        return tuple(map(_kernel_blocks, self.blocks))

    @cached_property
    def cube_blocks(self) -> tuple[DyadicBlocks, ...]:
        """The blocks of each tensor at their addresses."""
        if self.addresses == tuple(range(len(self.addresses))):
            return self.stored_blocks
        return tuple(
            _kernel_blocks(tuple(DyadicBlock(self._address(b.position), b.intervals) for b in blocks))
            for blocks in self.blocks
        )

    @cached_property
    def spans(self) -> tuple[tuple[int, ...], ...]:
        """For each tensor that has blocks, and each of its axes, the sum of the blocks' lengths."""
        return tuple(
            tuple(
                sum(1 << log for _, log in along)
                for along in zip(*(block.intervals for block in blocks), strict=True)
            )
            for blocks in self.blocks
        )

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The column at each address."""
        return tuple(sorted(range(len(self.addresses)), key=self.addresses.__getitem__))

    def first_column(self, matrix: Matrix) -> int:
        """The first column of a matrix, among those of all."""
        before = takewhile(lambda item: item[0] is not matrix, self.columns.items())
        return sum(count for _, count in before)

    def addresses_of(self, matrix: Matrix) -> tuple[int, ...]:
        """The address of each column of a matrix."""
        first = self.first_column(matrix)
        return self.addresses[first : first + self.columns.get(matrix, 0)]

    def column_blocks(self, matrix: Matrix) -> DyadicBlocks:
        """The columns of a matrix as blocks of one axis, for claims about all its values."""
        return self._column_blocks[matrix]

    @cached_property
    def _column_blocks(self) -> Mapping[Matrix, DyadicBlocks]:
        return {matrix: self._whole_columns(self.addresses_of(matrix)) for matrix in Matrix}

    def _whole_columns(self, addresses: Sequence[int]) -> DyadicBlocks:
        rows = [(address << self.log_rows, 0, self.log_rows) for address in addresses]
        return DyadicBlocks(np.array(rows, dtype=np.int64).reshape(len(rows), 3))

    def _address(self, position: int) -> int:
        column, row = position >> self.log_rows, position & ((1 << self.log_rows) - 1)
        return self.addresses[column] << self.log_rows | row


@lru_cache(maxsize=4096)
def split_axis(size: int) -> tuple[DyadicInterval, ...]:
    """The dyadic intervals of [0, size), longest first."""
    intervals, start = [], 0
    for log in reversed(range(size.bit_length())):
        if size >> log & 1:
            intervals.append((start, log))
            start += 1 << log
    return tuple(intervals)


def split_tensor(shape: Shape, log_rows: int) -> list[tuple[DyadicInterval, ...]]:
    """The blocks of a tensor, none larger than 2^log_rows: larger ones are halved along their first axes."""
    blocks: list[tuple[DyadicInterval, ...]] = []
    for intervals in product(*(split_axis(size) for size in shape)):
        excess = sum(log for _, log in intervals) - log_rows
        parts: list[list[DyadicInterval]] = []
        for start, log in intervals:
            cut = min(max(excess, 0), log)
            excess -= cut
            parts.append([(start + (i << (log - cut)), log - cut) for i in range(1 << cut)])
        blocks += product(*parts)
    return blocks


def lay_out(
    system: System,
    log_rows: int,
    *,
    committed: Sequence[Matrix] = tuple(Matrix),
    code: InitialCode | None = None,
) -> Layout:
    """The layout of a system for a fixed number of samples; tensors of other matrices have no blocks.

    With `code` matrices have its columns, tails and order. Without it they have the columns that they need.

    Raises FormatError for too many blocks, and for more columns than the code has.
    """
    shapes = [tensor.shape for tensor in system.tensors if tensor.matrix in committed]
    # Counted before any is made: shapes come from a file.
    sizes = {} if code is None else {Matrix(item.matrix): item for item in code.matrices}
    tails = {matrix: sizes[matrix].tail if matrix in sizes else 0 for matrix in committed}
    logs = {matrix: log_rows - LOG_TAIL_STEPS if tail else log_rows for matrix, tail in tails.items()}
    if sum((1 + len(shape)) * _most_blocks(shape, min(logs.values())) for shape in shapes) > MAX_INTERVALS:
        raise FormatError(f"the model's tensors split into blocks of more than {MAX_INTERVALS} intervals")
    blocks_of: list[tuple[DyadicBlock, ...]] = [()] * len(system.tensors)
    first, columns, needed = 0, dict[Matrix, int](), dict[Matrix, int]()
    for matrix in Matrix:
        if matrix not in committed:
            continue
        tensors = [index for index, tensor in enumerate(system.tensors) if tensor.matrix is matrix]
        intervals = {index: split_tensor(system.tensors[index].shape, logs[matrix]) for index in tensors}
        positions = dict(_place(intervals, first, log_rows, (1 << log_rows) - tails[matrix]))
        for index, pieces in intervals.items():
            blocks_of[index] = tuple(
                DyadicBlock(positions[index, k], piece) for k, piece in enumerate(pieces)
            )
        values = sum(prod(system.tensors[index].shape) for index in tensors)
        needed[matrix] = -(-values // ((1 << log_rows) - tails[matrix]))
        columns[matrix] = needed[matrix] if code is None else sizes[matrix].columns if matrix in sizes else 0
        if needed[matrix] > columns[matrix]:
            raise FormatError("the key's schedule is for other sizes than its model's")
        first += columns[matrix]
    addresses = tuple(range(first)) if code is None else column_addresses(code)
    return Layout(log_rows, columns, needed, tuple(blocks_of), addresses)


def _place(
    intervals: Mapping[int, Sequence[tuple[DyadicInterval, ...]]], first: int, log_rows: int, rows: int
) -> Iterator[tuple[tuple[int, int], int]]:
    """The position of each block, by tensor and index: columns from `first` on hold blocks in `rows` rows."""
    blocks = [
        (_log(block), tensor, k) for tensor, parts in intervals.items() for k, block in enumerate(parts)
    ]
    used = 0
    for log, tensor, index in sorted(blocks, key=lambda block: (-block[0], block[1], block[2])):
        yield (tensor, index), (first + used // rows) << log_rows | used % rows
        used += 1 << log


def _log(block: tuple[DyadicInterval, ...]) -> int:
    return sum(log for _, log in block)


def arrange(system: System, layout: Layout, matrix: Matrix, vectors: Mapping[int, BaseVector]) -> BaseVector:
    """The tensors of a matrix at their positions, column by column, zero where there is none.

    `vectors` are the tensors in row-major order, by index. The result has columns * 2^log_rows values.
    """
    first = layout.first_column(matrix) << layout.log_rows
    tensors = [
        (vectors[index], tensor.shape, layout.stored_blocks[index])
        for index, tensor in enumerate(system.tensors)
        if tensor.matrix is matrix
    ]
    return BaseVector.arranged(first, layout.columns[matrix] << layout.log_rows, tensors)


def blocks_between(blocks: Sequence[DyadicBlock], first: int, end: int) -> DyadicBlocks:
    """Those blocks that stand at positions [first, end)."""
    return _kernel_blocks(tuple(block for block in blocks if first <= block.position < end))


def _most_blocks(shape: Shape, log_rows: int) -> int:
    """At least the blocks of a tensor: one for each choice of intervals, and one for each full column."""
    return prod(size.bit_count() for size in shape) + (prod(shape) >> log_rows)


def _kernel_blocks(blocks: tuple[DyadicBlock, ...]) -> DyadicBlocks:
    rows = [
        (block.position, *(part for interval in block.intervals for part in interval)) for block in blocks
    ]
    return DyadicBlocks(np.array(rows, dtype=np.int64).reshape(len(rows), -1 if rows else 1))
