"""Where every value stands: tensors are cut into dyadic blocks, blocks are put at addresses.

An axis of size d splits into popcount(d) aligned dyadic intervals: [0, d) by the binary digits of d, from the
top. A block is a product of such intervals, so a subcube. None exceeds one column of 2^log_rows values.
Blocks stand without gaps, largest first, then in the order of tensors. Each is at a multiple of its size,
since all before it are multiples of it. Weights are columns [0, C_w), the witness [C_w, C_w + C_x).

The layout is a function of shapes alone; the verifier computes it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import BaseVector, DyadicBlocks
from deepprove_dist.protocol.system.system import Matrix, System

MAX_BLOCKS = 1 << 16
"""Blocks of all lookups together."""

MAX_INTERVALS = 1 << 17
"""Intervals, one an axis, of the blocks of all tensors: each takes a verifier more than a microsecond."""

DyadicInterval = tuple[int, int]
"""First index and log2 of the length."""


@dataclass(frozen=True)
class DyadicBlock:
    """A subcube of a tensor and the address of its first value."""

    address: int
    intervals: tuple[DyadicInterval, ...]

    @property
    def log_size(self) -> int:
        """log2 of the number of values."""
        return sum(log for _, log in self.intervals)


@dataclass(frozen=True)
class Layout:
    """The blocks of each tensor, in the tensor's own order, and the size of both matrices."""

    log_rows: int
    weight_columns: int
    witness_columns: int
    blocks: tuple[tuple[DyadicBlock, ...], ...]
    kernel_blocks: tuple[DyadicBlocks, ...]

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

    def column_blocks(self, matrix: Matrix) -> DyadicBlocks:
        """The columns of a matrix as blocks of one axis, for claims about all its values."""
        first = 0 if matrix is Matrix.WEIGHTS else self.weight_columns
        count = self.weight_columns if matrix is Matrix.WEIGHTS else self.witness_columns
        rows = [(column << self.log_rows, 0, self.log_rows) for column in range(first, first + count)]
        return DyadicBlocks(np.array(rows, dtype=np.int64).reshape(count, 3))


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


def lay_out(system: System, log_rows: int, *, committed: Sequence[Matrix] = tuple(Matrix)) -> Layout:
    """The layout of a system for a fixed number of samples; tensors of other matrices have no blocks.

    Raises FormatError for too many blocks.
    """
    shapes = [tensor.shape for tensor in system.tensors if tensor.matrix in committed]
    # Counted before any is made: shapes come from a file.
    if sum((1 + len(shape)) * _most_blocks(shape, log_rows) for shape in shapes) > MAX_INTERVALS:
        raise FormatError(f"the model's tensors split into blocks of more than {MAX_INTERVALS} intervals")
    placed: list[dict[int, int]] = [{} for _ in system.tensors]
    intervals = [
        split_tensor(tensor.shape, log_rows) if tensor.matrix in committed else []
        for tensor in system.tensors
    ]
    address, columns = 0, []
    for matrix in (Matrix.WEIGHTS, Matrix.WITNESS):
        first = address
        blocks = [
            (sum(log for _, log in block), tensor, index)
            for tensor, spec in enumerate(system.tensors)
            if spec.matrix is matrix and matrix in committed
            for index, block in enumerate(intervals[tensor])
        ]
        for log, tensor, index in sorted(blocks, key=lambda block: (-block[0], block[1], block[2])):
            placed[tensor][index] = address
            address += 1 << log
        columns.append(-(-(address - first) >> log_rows))
        address = first + (columns[-1] << log_rows)
    blocks_of = tuple(
        tuple(DyadicBlock(placed[tensor][index], block) for index, block in enumerate(intervals[tensor]))
        for tensor in range(len(system.tensors))
    )
    return Layout(log_rows, columns[0], columns[1], blocks_of, tuple(map(_kernel_blocks, blocks_of)))


def arrange(
    system: System, layout: Layout, matrix: Matrix, columns: int, vectors: Mapping[int, BaseVector]
) -> BaseVector:
    """The tensors of a matrix in the order of addresses, zero at unused ones.

    `vectors` are the tensors in row-major order, by index. The result has columns * 2^log_rows values.
    """
    first = 0 if matrix is Matrix.WEIGHTS else layout.weight_columns << layout.log_rows
    tensors = [
        (vectors[index], tensor.shape, layout.kernel_blocks[index])
        for index, tensor in enumerate(system.tensors)
        if tensor.matrix is matrix
    ]
    return BaseVector.arranged(first, columns << layout.log_rows, tensors)


def blocks_between(blocks: Sequence[DyadicBlock], first: int, end: int) -> DyadicBlocks:
    """Those blocks that stand at addresses [first, end)."""
    return _kernel_blocks(tuple(block for block in blocks if first <= block.address < end))


def _most_blocks(shape: Shape, log_rows: int) -> int:
    """At least the blocks of a tensor: one for each choice of intervals, and one for each full column."""
    return prod(size.bit_count() for size in shape) + (prod(shape) >> log_rows)


def _kernel_blocks(blocks: tuple[DyadicBlock, ...]) -> DyadicBlocks:
    rows = [(block.address, *(part for interval in block.intervals for part in interval)) for block in blocks]
    return DyadicBlocks(np.array(rows, dtype=np.int64).reshape(len(rows), -1 if rows else 1))
