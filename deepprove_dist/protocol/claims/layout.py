"""Where every value stands: tensors are cut into dyadic blocks, blocks are put into columns.

An axis of size d splits into popcount(d) aligned dyadic intervals: [0, d) by the binary digits of d, from the
top. A block is a product of such intervals, so a subcube. None exceeds one column of 2^log_rows values.
Blocks stand without gaps, largest first, then in the order of tensors. Each is at a multiple of its size,
since all before it are multiples of it. Matrices stand one after the other: weights, then hidden inputs and
outputs, each of its own, then the witness.

A hidden matrix, other than the witness, has random values in the last rows of its columns, and no block.
Its blocks are then at most 2^(log_rows - 4) values, of which the rows before are a multiple.

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

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import BaseVector, BlockShape, DyadicBlocks
from deepprove_dist.protocol.claims.columns import column_addresses
from deepprove_dist.protocol.parameters import LOG_TAIL_STEPS, InitialCode, MatrixCode
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
class MatrixColumns:
    """One committed matrix: its columns among those of all matrices.

    Attributes:
        matrix: its kind. There is one of a kind, but one hidden matrix for each hidden tensor.
        first: its first column.
        columns: how many it has, beside mask columns.
        needed: how many of them hold tensors.
        tensors: the indices of its tensors.
    """

    matrix: Matrix
    first: int
    columns: int
    needed: int
    tensors: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """The blocks of each tensor, in the tensor's own order, and the columns of all matrices.

    Attributes:
        log_rows: log2 of the rows of a column.
        matrices: the committed ones, in the order of their columns.
        blocks: of each tensor.
        addresses: of each column, all matrices' one after the other, in the opening's cube of columns.
    """

    log_rows: int
    matrices: tuple[MatrixColumns, ...]
    blocks: tuple[tuple[DyadicBlock, ...], ...]
    addresses: tuple[int, ...]

    @cached_property
    def columns(self) -> Mapping[Matrix, int]:
        """Columns of each kind of matrix, beside mask columns."""
        kinds = dict.fromkeys(part.matrix for part in self.matrices)
        return {kind: sum(part.columns for part in self.parts(kind)) for kind in kinds}

    @cached_property
    def needed(self) -> Mapping[Matrix, int]:
        """Columns of each kind of matrix that hold tensors."""
        return {kind: sum(part.needed for part in self.parts(kind)) for kind in self.columns}

    @cached_property
    def stored_blocks(self) -> tuple[DyadicBlocks, ...]:
        """The blocks of each tensor at their positions."""
        pairs = zip(self._block_shapes, self.blocks, strict=True)
        return tuple(DyadicBlocks(shape, [block.position for block in blocks]) for shape, blocks in pairs)

    @cached_property
    def cube_blocks(self) -> tuple[DyadicBlocks, ...]:
        """The blocks of each tensor at their addresses."""
        if self.addresses == tuple(range(len(self.addresses))):
            return self.stored_blocks
        pairs = zip(self._block_shapes, self.blocks, strict=True)
        return tuple(
            DyadicBlocks(shape, [self._address(block.position) for block in blocks])
            for shape, blocks in pairs
        )

    @cached_property
    def _block_shapes(self) -> tuple[BlockShape, ...]:
        """The intervals of each tensor's blocks: one object for all tensors that are cut alike."""
        shapes: dict[Sequence[Sequence[DyadicInterval]], BlockShape] = {}
        result = []
        for blocks in self.blocks:
            intervals = tuple(block.intervals for block in blocks)
            shape = shapes.get(intervals)
            if shape is None:
                shape = shapes[intervals] = BlockShape(intervals)
            result.append(shape)
        return tuple(result)

    @cached_property
    def spans(self) -> tuple[tuple[int, ...], ...]:
        """For each tensor that has blocks, and each of its axes, the lengths of the intervals in all.

        An interval counts once for all blocks in which the axes after it take as many bits. A verifier
        evaluates weights on it once for these.
        """
        return tuple(map(_spans, self.blocks))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The column at each address."""
        return tuple(sorted(range(len(self.addresses)), key=self.addresses.__getitem__))

    def parts(self, matrix: Matrix) -> tuple[MatrixColumns, ...]:
        """The matrices of a kind."""
        return tuple(part for part in self.matrices if part.matrix is matrix)

    def first_column(self, matrix: Matrix) -> int:
        """The first column of a kind of matrix, among those of all."""
        return sum(part.columns for part in takewhile(lambda part: part.matrix is not matrix, self.matrices))

    def addresses_of(self, matrix: Matrix | MatrixColumns) -> tuple[int, ...]:
        """The address of each column of a matrix, or of all of a kind."""
        if isinstance(matrix, MatrixColumns):
            return self.addresses[matrix.first : matrix.first + matrix.columns]
        first = self.first_column(matrix)
        return self.addresses[first : first + self.columns.get(matrix, 0)]

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
    if (
        sum((1 + len(shape)) * _most_blocks(shape, _log_block(log_rows, code)) for shape in shapes)
        > MAX_INTERVALS
    ):
        raise FormatError(f"the model's tensors split into blocks of more than {MAX_INTERVALS} intervals")
    blocks_of: list[tuple[DyadicBlock, ...]] = [()] * len(system.tensors)
    first, parts = 0, list[MatrixColumns]()
    for matrix, tensors, size in _matrices(system, committed, code):
        tail = 0 if size is None else size.tail
        log_block, rows = log_rows - LOG_TAIL_STEPS if tail else log_rows, (1 << log_rows) - tail
        intervals = {index: split_tensor(system.tensors[index].shape, log_block) for index in tensors}
        positions = dict(_place(intervals, first, log_rows, rows))
        for index, pieces in intervals.items():
            blocks_of[index] = tuple(
                DyadicBlock(positions[index, k], piece) for k, piece in enumerate(pieces)
            )
        needed = -(-sum(prod(system.tensors[index].shape) for index in tensors) // rows)
        columns = needed if code is None else 0 if size is None else size.columns
        if needed > columns:
            raise FormatError("the key's schedule is for other sizes than its model's")
        parts.append(MatrixColumns(matrix, first, columns, needed, tensors))
        first += columns
    addresses = tuple(range(first)) if code is None else column_addresses(code)
    return Layout(log_rows, tuple(parts), tuple(blocks_of), addresses)


def _matrices(
    system: System, committed: Sequence[Matrix], code: InitialCode | None
) -> Iterator[tuple[Matrix, tuple[int, ...], MatrixCode | None]]:
    """Each matrix with its tensors and, if the code has it, its size; each hidden tensor is one.

    Raises FormatError for another number of hidden matrices than the code has.
    """
    for matrix in (matrix for matrix in Matrix if matrix in committed):
        tensors = tuple(index for index, tensor in enumerate(system.tensors) if tensor.matrix is matrix)
        sizes = [] if code is None else [size for size in code.matrices if size.matrix == matrix.value]
        if matrix is not Matrix.HIDDEN:
            yield matrix, tensors, sizes[0] if sizes else None
            continue
        if code is not None and len(sizes) != len(tensors):
            raise FormatError("the key's schedule is for another number of hidden tensors than its model's")
        for index, public in enumerate(system.hidden):
            yield matrix, (public.tensor,), sizes[index] if sizes else None


def _log_block(log_rows: int, code: InitialCode | None) -> int:
    """log2 of the values that no block exceeds: the least of all matrices."""
    tails = code is not None and any(size.tail for size in code.matrices)
    return log_rows - LOG_TAIL_STEPS if tails else log_rows


def place_tensor(shape: Shape, log_rows: int, tail: int) -> DyadicBlocks:
    """The blocks of a tensor that has a matrix of its own, from the matrix's first column on."""
    log_block = log_rows - LOG_TAIL_STEPS if tail else log_rows
    pieces = split_tensor(shape, log_block)
    positions = dict(_place({0: pieces}, 0, log_rows, (1 << log_rows) - tail))
    return _kernel_blocks(tuple(DyadicBlock(positions[0, k], piece) for k, piece in enumerate(pieces)))


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


def arrange(
    system: System, layout: Layout, matrix: Matrix | MatrixColumns, vectors: Mapping[int, BaseVector]
) -> BaseVector:
    """The tensors of a matrix, the only one of its kind, at their positions: zero where there is none.

    `vectors` are the tensors in row-major order, by index. The result has columns * 2^log_rows values.
    """
    (part,) = layout.parts(matrix) if isinstance(matrix, Matrix) else (matrix,)
    # One by one: of large weights each vector is made when it is its turn.
    tensors = (
        (vectors[index], system.tensors[index].shape, layout.stored_blocks[index]) for index in part.tensors
    )
    return BaseVector.arranged(part.first << layout.log_rows, part.columns << layout.log_rows, tensors)


def blocks_between(blocks: Sequence[DyadicBlock], first: int, end: int) -> DyadicBlocks:
    """Those blocks that stand at positions [first, end)."""
    return _kernel_blocks(tuple(block for block in blocks if first <= block.position < end))


def _most_blocks(shape: Shape, log_rows: int) -> int:
    """At least the blocks of a tensor: one for each choice of intervals, and one for each full column."""
    return prod(size.bit_count() for size in shape) + (prod(shape) >> log_rows)


def _kernel_blocks(blocks: tuple[DyadicBlock, ...]) -> DyadicBlocks:
    shape = BlockShape([block.intervals for block in blocks])
    return DyadicBlocks(shape, [block.position for block in blocks])


def _spans(blocks: Sequence[DyadicBlock]) -> tuple[int, ...]:
    """Of one tensor."""
    axes = len(blocks[0].intervals) if blocks else 0
    seen: list[set[tuple[int, int, int]]] = [set() for _ in range(axes)]
    for block in blocks:
        bits = 0
        for (start, log), intervals in zip(reversed(block.intervals), reversed(seen), strict=True):
            intervals.add((start, log, bits if log else 0))
            bits += log
    return tuple(sum(1 << log for _, log, _ in intervals) for intervals in seen)
