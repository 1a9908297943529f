"""Measures what `protocol.parameters.times` counts: `python -m benchmarks.times`.

Random values are committed, opened and looked up in a few sizes. A line says what the least of many repeats
took on two threads, and what `MEASURED` makes of it. Column rounds of whole proofs take longer than here,
where one claim covers the matrix.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from deepprove_dist.field import EXTENSION_DEGREE, MODULUS
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    BlockShape,
    CodeShape,
    Commitment,
    DyadicBlocks,
    Encoder,
    Extension,
    ExtensionVector,
    FractionLeaves,
    Opening,
    Pool,
    Terms,
    Transcript,
)
from deepprove_dist.protocol.parameters.times import MEASURED

LOG_INVERSE_RATE = 3
LOG_BLOCK = 8

BASE_CODES = ((13, 1, 3), (15, 4, 1), (15, 16, 0), (17, 1, 3), (17, 16, 0), (17, 120, 0), (20, 8, 0))
"""log2 of the length, columns, log2 of the rows in a leaf."""

EXTENSION_CODES = ((12, 3), (14, 4), (16, 3), (16, 4), (18, 4))
"""log2 of the length, log2 of the columns."""

MATRICES = ((12, 80), (15, 124), (17, 64))
"""log2 of the rows, columns."""

TREES = (12, 15, 17, 19)
"""log2 of the leaves."""


@dataclass(frozen=True)
class Work:
    """Something to do, and the nanoseconds that the model counts for it."""

    name: str
    run: Callable[[], object]
    nanoseconds: float


class Works:
    """Work of all kinds on random values."""

    def __init__(self, threads: int = 2) -> None:
        self._random = np.random.default_rng(0)
        self._pool, self._encoder = Pool(threads), Encoder()

    def base_code(self, log_length: int, columns: int, log_group: int) -> Work:
        """A commitment to base values."""
        log_rows = log_length - LOG_INVERSE_RATE
        values, code = (
            self._base(columns << log_rows),
            CodeShape(log_rows, columns, LOG_INVERSE_RATE, log_group),
        )
        row = MEASURED.code_row + MEASURED.base_value * columns + MEASURED.leaf / (1 << log_group)
        return Work(
            f"commit {columns} columns, code of 2^{log_length}, 2^{log_group} rows a leaf",
            lambda: Commitment.of_base(values, code, self._encoder, self._pool),
            row * (1 << log_length),
        )

    def extension_code(self, log_length: int, log_columns: int) -> Work:
        """A commitment to extension values."""
        log_rows = log_length - LOG_INVERSE_RATE
        values = self._extension(1 << log_rows + log_columns)
        code = CodeShape(log_rows, EXTENSION_DEGREE << log_columns, LOG_INVERSE_RATE, 0)
        row = MEASURED.code_row + MEASURED.extension_value * (1 << log_columns) + MEASURED.leaf
        return Work(
            f"commit {1 << log_columns} extension columns, code of 2^{log_length}",
            lambda: Commitment.of_extension(values, code, self._encoder, self._pool),
            row * (1 << log_length),
        )

    def opening(self, log_rows: int, columns: int) -> Work:
        """All rounds of a claim about a whole matrix."""
        matrix, terms = self._base(columns << log_rows), Terms()
        shape = BlockShape([[(column, 0), (0, log_rows)] for column in range(columns)])
        blocks = DyadicBlocks(shape, [column << log_rows for column in range(columns)])
        axes = [AxisVector.eq(self._extension(size)) for size in ((columns - 1).bit_length(), log_rows)]
        terms.add_product(Extension(1), blocks, axes)

        def run() -> None:
            transcript = Transcript(b"times")
            order, claim = list(range(columns)), Extension(1)
            state, *_ = Opening.columns(
                [matrix], order, log_rows, terms, [], None, claim, transcript, self._pool
            )
            state.rounds(log_rows, transcript, self._pool)

        price = MEASURED.column_round * columns + MEASURED.row_round
        return Work(f"open {columns} columns of 2^{log_rows}", run, price * (1 << log_rows))

    def fraction_tree(self, log_leaves: int) -> Work:
        """Leaves of pairs, and their fraction tree."""
        column, one = self._base(1 << LOG_BLOCK), Extension(1)

        def run() -> None:
            leaves = FractionLeaves()
            for first in range(0, 1 << log_leaves, 1 << LOG_BLOCK):
                leaves.add(first, LOG_BLOCK, one, [(one, (column, 0)), (one, (column, 0))])
            leaves.prove(log_leaves, Transcript(b"times"), self._pool, ExtensionVector([]))

        return Work(f"tree of 2^{log_leaves} fractions", run, MEASURED.fraction_leaf * (1 << log_leaves))

    def _base(self, count: int) -> BaseVector:
        return BaseVector.from_array(self._random.integers(0, MODULUS, count))

    def _extension(self, count: int) -> ExtensionVector:
        values = self._random.integers(0, MODULUS, EXTENSION_DEGREE * count)
        return ExtensionVector.from_bytes(values.astype("<u4").tobytes())


def all_works() -> Iterator[Work]:
    """Work of the sizes above."""
    works = Works()
    yield from (works.base_code(*sizes) for sizes in BASE_CODES)
    yield from (works.extension_code(*sizes) for sizes in EXTENSION_CODES)
    yield from (works.opening(*sizes) for sizes in MATRICES)
    yield from (works.fraction_tree(size) for size in TREES)


def least_milliseconds(run: Callable[[], object], repeats: int) -> float:
    """The least time of some repeats: what others do on the machine only adds."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return 1e3 * min(taken)


if __name__ == "__main__":
    for work in all_works():
        least, counted = least_milliseconds(work.run, 30), work.nanoseconds / 1e6
        print(f"{work.name:60} {least:9.3f} ms, {counted:9.3f} counted")
